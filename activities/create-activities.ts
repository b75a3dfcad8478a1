import type { ActivityDeps } from './deps.ts'
import { createLifecycleActivities } from './lifecycle.ts'
import { createMergeActivities } from './merge.ts'
import { createReviewActivities } from './review.ts'
import { createStageActivities } from './stage.ts'
import type { Activities } from './types.ts'

/** The activities, on what they work with. */
export function createActivities(deps: ActivityDeps): Activities {
  const { finishBegunMerge, ...merging } = createMergeActivities(deps)
  return {
    ...createLifecycleActivities(deps, finishBegunMerge),
    ...createStageActivities(deps),
    ...createReviewActivities(deps),
    ...merging,
  }
}

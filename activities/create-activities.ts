import type { ActivityDeps } from './deps.ts'
import { createLifecycleActivities } from './lifecycle.ts'
import { createMergeActivities } from './merge.ts'
import { createReviewActivities } from './review.ts'
import { createStageActivities } from './stage.ts'

/** Everything that workflows can ask for. The names are wire names: histories hold them, so they are never changed. */
export function createActivities(deps: ActivityDeps) {
  return {
    ...createLifecycleActivities(deps),
    ...createStageActivities(deps),
    ...createReviewActivities(deps),
    ...createMergeActivities(deps),
  }
}
export type Activities = ReturnType<typeof createActivities>

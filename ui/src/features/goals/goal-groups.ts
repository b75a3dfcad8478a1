import { isReviewWait } from '../../../../contracts/figures.ts'
import type { GoalSummary } from '../../../../contracts/schemas.ts'
import type { Status } from '../../components/status-icon.tsx'
import type { GoalsSearch } from './goals-search.ts'

export interface GoalGroup {
  key: NonNullable<GoalsSearch['show']>
  title: string
  goals: GoalSummary[]
}

/** One state, derived in one place: a goal whose review is due waits for the person, whatever else it does. */
export function goalStatus({ status, pendingReviews, working, reason }: GoalSummary): Status {
  if (status !== 'active') return status
  if (pendingReviews > 0) return 'review'
  // of a review that is decided its reason is gone in a moment
  const waits = working.length === 0 && reason !== null && !isReviewWait(reason)
  return waits ? 'waiting' : status
}

const runs = (goal: GoalSummary) => goal.status === 'active' && goal.pendingReviews === 0
const waits = (goal: GoalSummary) => goal.status !== 'paused' && !runs(goal)

/** What waits for the person, the longest first; what runs; what the person paused; what is over. Empty groups are left out. */
export function groupGoals(
  open: readonly GoalSummary[],
  over: readonly GoalSummary[],
  { show, q }: GoalsSearch,
): GoalGroup[] {
  const words = (q ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const matches = (goal: GoalSummary) =>
    words.every((word) => `${goal.shortId} ${goal.title}`.toLowerCase().includes(word))
  const longest = (a: GoalSummary, b: GoalSummary) => a.updatedAt.localeCompare(b.updatedAt)
  const groups: GoalGroup[] = [
    { key: 'waiting', title: 'Needs you', goals: open.filter(waits).sort(longest) },
    { key: 'running', title: 'Running', goals: open.filter(runs) },
    { key: 'paused', title: 'Paused', goals: open.filter(({ status }) => status === 'paused') },
    { key: 'done', title: 'Done', goals: [...over] },
  ]
  return groups
    .filter(({ key }) => show === undefined || show === key)
    .map((group) => ({ ...group, goals: group.goals.filter(matches) }))
    .filter(({ goals }) => goals.length > 0)
}

import { defaultFilter } from 'cmdk'
import type { GoalSummary } from '../../../../contracts/schemas.ts'

type Named = Pick<GoalSummary, 'shortId' | 'title'>

/** Drawing hundreds takes seconds, and nobody reads them. */
const MOST = 20

export const goalName = ({ shortId, title }: Named): string => `${shortId} ${title}`

/** Those that the text fits best; without one the first. */
export function bestGoals<T extends Named>(goals: readonly T[], text: string): T[] {
  if (text.trim() === '') return goals.slice(0, MOST)
  return goals
    .map((goal) => ({ goal, score: defaultFilter(goalName(goal), text) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST)
    .map(({ goal }) => goal)
}

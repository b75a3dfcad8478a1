import { shortId } from '../contracts/ids.ts'
import type { GoalRow, TaskRow } from '../db/facts.ts'

/** A title as the readable part of a branch's name. */
function slug(title: string): string {
  const words = title
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
  return (
    words
      .replace(/^-+|-+$/g, '')
      .slice(0, 40)
      .replace(/-+$/, '') || 'work'
  )
}

export const goalBranch = (goal: GoalRow) =>
  `dispatch/${shortId('goal', goal.number)}-${slug(goal.title)}`
export const taskBranch = (task: TaskRow) =>
  `dispatch/${shortId('task', task.number)}-${slug(task.title)}`

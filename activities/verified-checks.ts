import type { CheckResult } from '../contracts/schemas.ts'
import type { GoalFacts } from '../db/facts.ts'
import type { ActivityDeps } from './deps.ts'

/** What the checks said of a task whose verified files are those of the goal's `head`; undefined where the sum is a new one. */
export async function verifiedChecks(
  { database, git }: ActivityDeps,
  { goal, project }: GoalFacts,
  head: string,
): Promise<CheckResult[] | undefined> {
  const tree = await git.treeOf({ projectId: project.id, commit: head })
  if (tree === undefined) return undefined
  const same = await database
    .knex('reviews')
    .join('tasks', { 'tasks.id': 'reviews.task_id', 'tasks.head': 'reviews.head' })
    .where({ 'reviews.goal_id': goal.id, kind: 'task', 'reviews.status': 'approved', tree })
    .first('task_id')
  if (!same) return undefined
  const verified = await database
    .knex('stage_attempts')
    .where({ goal_id: goal.id, task_id: same.task_id, stage: 'verify' })
    .whereNotNull('checks')
    .orderBy('id', 'desc')
    .first('checks')
  return verified?.checks
}

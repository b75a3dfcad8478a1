import { isDeepStrictEqual } from 'node:util'
import type { CheckResult } from '../contracts/schemas.ts'
import type { GoalFacts } from '../db/facts.ts'
import { type WantedCheck, wantedChecks } from './checks.ts'
import type { ActivityDeps } from './deps.ts'
import type { Workspace } from './workspace.ts'

/**
 * What the checks said of a task whose verified files are those of the goal's head; undefined where the sum is a new one, or
 * where other checks are wanted by now.
 */
export async function verifiedChecks(
  deps: ActivityDeps,
  facts: GoalFacts,
  workspace: Workspace,
): Promise<CheckResult[] | undefined> {
  const { database, git } = deps
  const { goal, project } = facts
  const tree = await git.treeOf({ projectId: project.id, commit: workspace.head })
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
  const checks: CheckResult[] | undefined = verified?.checks
  const wanted = await wantedChecks(deps, facts, workspace)
  return checks && isDeepStrictEqual(checks.map(definition), wanted.map(definition))
    ? checks
    : undefined
}

const definition = ({ name, command, notRun }: WantedCheck) => ({ name, command, notRun })

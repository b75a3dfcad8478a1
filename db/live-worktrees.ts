import type { Knex } from 'knex'
import { scratchKey, taskKey } from '../contracts/ids.ts'
import { OVER_STATUSES, WRITING_STAGES } from '../contracts/stages.ts'

/**
 * Keys of a project's worktrees that goals at work still need: of each task that is neither integrated nor cancelled, and
 * of each attempt without an answer in a stage that looks at a commit. Everything else that is claimed is left over.
 */
export async function liveWorktreeKeys(knex: Knex, projectId: string): Promise<string[]> {
  const tasks: string[] = await knex('tasks as t')
    .join('goals as g', 'g.id', 't.goal_id')
    .where({ 'g.project_id': projectId })
    .whereNotIn('g.status', OVER_STATUSES)
    .whereNotIn('t.status', ['integrated', 'cancelled'])
    .pluck('t.id')
  const attempts: {
    goal: number
    task: number | null
    stage: string
    attempt: number
  }[] = await knex('stage_attempts as a')
    .join('goals as g', 'g.id', 'a.goal_id')
    .leftJoin('tasks as t', 't.id', 'a.task_id')
    .where({ 'g.project_id': projectId })
    .whereNotIn('g.status', OVER_STATUSES)
    .whereNotIn('a.stage', [...WRITING_STAGES])
    .whereIn('a.status', ['waiting', 'running', 'paused', 'review'])
    .whereNull('a.result')
    .select({ goal: 'g.number', task: 't.number', stage: 'a.stage', attempt: 'a.attempt' })
  return [
    ...tasks.map(taskKey),
    ...attempts.map(({ goal, task, stage, attempt }) =>
      scratchKey({
        goal: { number: goal },
        task: task === null ? undefined : { number: task },
        stage,
        attempt,
      }),
    ),
  ]
}

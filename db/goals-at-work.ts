import type { Knex } from 'knex'
import { goalWorkflowId } from '../contracts/ids.ts'
import { SET_PAUSED } from '../contracts/messages.ts'
import { OPEN_STATUSES } from '../contracts/stages.ts'
import type { Tx } from './connect.ts'
import { enqueue } from './outbox.ts'

/** What a goal's workflow begins with. */
export interface GoalAtWork {
  id: string
  number: number
  title: string
  projectId: string
  /** Why it is ending; null when it is not. */
  ending: string | null
}

const atWork = (knex: Knex): Knex.QueryBuilder => knex('goals').whereIn('status', OPEN_STATUSES)

/** All goals that Temporal has been told of and that are not over. */
export async function goalsAtWork(knex: Knex): Promise<Pick<GoalAtWork, 'id' | 'number'>[]> {
  const starts = knex('outbox').where({ kind: 'start_goal' }).whereNull('done_at')
  return atWork(knex)
    .whereRaw(`'goal/' || id not in (?)`, [starts.select('workflow_id')])
    .orderBy('number')
    .select('id', 'number')
}

/** The goal that a workflow, its own or that of one of its tasks, works for; undefined when that work is over. */
export async function goalBehind(knex: Knex, workflowId: string): Promise<GoalAtWork | undefined> {
  const [kind, id] = workflowId.split('/')
  const task = knex('tasks').where({ id }).whereNotIn('status', ['integrated', 'cancelled'])
  return atWork(knex)
    .where('id', kind === 'goal' ? id : task.select('goal_id'))
    .first('id', 'number', 'title', {
      projectId: 'project_id',
      ending: knex.raw(`case when ending then regexp_replace(reason, '^ending: ', '') end`),
    })
}

/** Tells the workflows of goals at work what holds already: one that Temporal lost begins again by being told anything. */
export async function tellAgain(tx: Tx, ids: readonly string[]): Promise<void> {
  const goals = await atWork(tx).whereIn('id', ids).orderBy('id').forUpdate().select('id', 'paused')
  for (const { id, paused } of goals)
    await enqueue(tx, {
      ...{ kind: 'signal', workflowId: goalWorkflowId(id) },
      payload: { signal: SET_PAUSED, args: { paused } },
    })
}

import type { Knex } from 'knex'
import type { SignalName } from '../contracts/messages.ts'
import type { Database, Tx } from './connect.ts'

/** What Temporal must be told. Written with the state change it tells of, delivered until Temporal acknowledged it. */
export type OutboxMessage =
  | {
      kind: 'start_goal'
      workflowId: string
      payload: { goalId: string; title: string; projectId: string }
    }
  | { kind: 'signal'; workflowId: string; payload: { signal: SignalName; args: unknown } }

export type OutboxRow = OutboxMessage & { id: number; attempts: number }

export const OUTBOX_CHANNEL = 'dispatch_outbox'

/** In the transaction of the change that it tells of: both are there, or neither. */
export async function enqueue(tx: Tx, message: OutboxMessage): Promise<void> {
  await tx('outbox').insert({
    kind: message.kind,
    workflow_id: message.workflowId,
    payload: JSON.stringify(message.payload),
  })
  await tx.raw('select pg_notify(?, ?)', [OUTBOX_CHANNEL, ''])
}

/**
 * Delivers the oldest message that is due, one workflow's messages in order, in a transaction of its own: a slow delivery
 * holds one row. The row is locked meanwhile, so several dispatchers share the work. A failed delivery is due again
 * after 1 s, then twice as long, at most `longestWait` seconds: without a bound, because the message tells of something
 * that has already happened; `last_error` says why it waits.
 */
export async function deliverNext(
  database: Database,
  deliver: (row: OutboxRow) => Promise<void>,
  longestWait: (error: unknown) => number,
): Promise<'delivered' | 'failed' | 'nothing'> {
  return database.knex.transaction(async (tx) => {
    const row = await lockDue(tx)
    if (!row) return 'nothing'
    try {
      await deliver(row)
    } catch (error) {
      const wait = Math.min(longestWait(error), 2 ** Math.min(row.attempts, 6))
      await tx('outbox')
        .where({ id: row.id })
        .update({
          attempts: row.attempts + 1,
          last_error: wordsOf(error as Error).slice(0, 2000),
          next_at: tx.raw(`now() + make_interval(secs => ?)`, [wait]),
        })
      return 'failed'
    }
    await tx('outbox')
      .where({ id: row.id })
      .update({ done_at: tx.fn.now(), attempts: row.attempts + 1 })
    return 'delivered'
  })
}

/** Temporal's client says only what it tried; what was wrong with it is the cause. */
function wordsOf({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}

/** Makes every message that waits for its next try due now: Temporal was away and is back. */
export async function tryAllNow({ knex }: Database): Promise<void> {
  await knex('outbox').whereNull('done_at').update({ next_at: knex.fn.now() })
}

/** A message that waits, and the goal that it is for. */
export interface LateMessage {
  since: string
  error: string
  goalId: string
  goalNumber: number
}

/** Messages that wait for longer than a delivery takes while all is well, oldest first: what they tell of does not go on. */
export const lateMessages = (knex: Knex): Knex.QueryBuilder<object, LateMessage[]> =>
  knex('outbox as o')
    .joinRaw(
      `left join tasks t on t.id = case when o.workflow_id like 'task/%' then substr(o.workflow_id, 6)::uuid end`,
    )
    .joinRaw(
      `join goals g on g.id = coalesce(t.goal_id, case when o.workflow_id like 'goal/%' then substr(o.workflow_id, 6)::uuid end)`,
    )
    .whereNull('o.done_at')
    .whereRaw(`o.created_at < now() - interval '10 seconds'`)
    .orderBy('o.id')
    .select({ since: 'o.created_at', goalId: 'g.id', goalNumber: 'g.number' })
    .select(knex.raw(`coalesce(o.last_error, 'it does not answer') as error`))

/** The oldest that is due, is the first undelivered one of its workflow, and that nobody else delivers now. */
async function lockDue(tx: Knex.Transaction): Promise<OutboxRow | undefined> {
  const { rows } = await tx.raw(
    `select id, kind, workflow_id, payload, attempts from outbox o
      where done_at is null and next_at <= now()
        and not exists (select 1 from outbox p where p.workflow_id = o.workflow_id and p.done_at is null and p.id < o.id)
      order by id limit 1 for update skip locked`,
  )
  const [row] = rows
  if (!row) return undefined
  const { id, kind, payload, attempts } = row
  return { id, kind, workflowId: row.workflow_id, payload, attempts }
}

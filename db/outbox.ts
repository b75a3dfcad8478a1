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

export async function enqueue(tx: Tx, message: OutboxMessage): Promise<void> {
  await tx('outbox').insert({
    kind: message.kind,
    workflow_id: message.workflowId,
    payload: JSON.stringify(message.payload),
  })
  await tx.raw('select pg_notify(?, ?)', [OUTBOX_CHANNEL, ''])
}

/**
 * Delivers what is due, oldest first, one workflow's messages in order. Rows are locked while they are delivered, so
 * several dispatchers share the work. A failed delivery is due again after 1 s, then twice as long, at most a minute:
 * without a bound, because the message tells of something that has already happened; `last_error` says why it waits.
 * Returns how many were delivered.
 */
export async function deliverDue(
  database: Database,
  deliver: (row: OutboxRow) => Promise<void>,
): Promise<number> {
  return database.knex.transaction(async (tx) => {
    const rows = await lockDue(tx)
    let delivered = 0
    for (const row of rows) {
      try {
        await deliver(row)
        await tx('outbox')
          .where({ id: row.id })
          .update({ done_at: tx.fn.now(), attempts: row.attempts + 1 })
        delivered += 1
      } catch (error) {
        const wait = Math.min(60, 2 ** Math.min(row.attempts, 6))
        await tx('outbox')
          .where({ id: row.id })
          .update({
            attempts: row.attempts + 1,
            last_error: (error as Error).message.slice(0, 2000),
            next_at: tx.raw(`now() + make_interval(secs => ?)`, [wait]),
          })
      }
    }
    return delivered
  })
}

/** The first undelivered message of each workflow, where it is due and nobody else delivers it now. */
async function lockDue(tx: Knex.Transaction): Promise<OutboxRow[]> {
  const { rows } = await tx.raw(
    `select id, kind, workflow_id, payload, attempts from outbox o
      where done_at is null and next_at <= now()
        and not exists (select 1 from outbox p where p.workflow_id = o.workflow_id and p.done_at is null and p.id < o.id)
      order by id limit 50 for update skip locked`,
  )
  return rows.map(
    (row: {
      id: number
      kind: string
      workflow_id: string
      payload: unknown
      attempts: number
    }) => ({
      id: row.id,
      kind: row.kind,
      workflowId: row.workflow_id,
      payload: row.payload,
      attempts: row.attempts,
    }),
  ) as OutboxRow[]
}

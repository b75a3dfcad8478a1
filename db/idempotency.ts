import type { Knex } from 'knex'
import type { Tx } from './connect.ts'
import { contentHash } from './content-hash.ts'
import { LOCKS } from './locks.ts'

/** How long an answer is kept for a repeated create. */
const KEEP = `interval '24 hours'`
const FORGET_EVERY_MS = 3_600_000

export type Remembered =
  | { state: 'new' }
  | { state: 'in_flight' }
  | { state: 'other_body' }
  | { state: 'known'; status: number; reply: unknown }

/**
 * Looks a create up by its key, within the transaction that makes the thing. The key is locked until that transaction
 * ends, so a crash leaves nothing behind and a twin that comes meanwhile is `in_flight`.
 */
export async function recall(
  tx: Tx,
  call: { route: string; key: string; body: unknown },
): Promise<Remembered> {
  const { rows } = await tx.raw(
    'select pg_try_advisory_xact_lock(hashtextextended(?, ?)) as free',
    [`${call.route} ${call.key}`, LOCKS.idempotency],
  )
  if (!rows[0].free) return { state: 'in_flight' }
  await tx('idempotency')
    .where({ route: call.route, key: call.key })
    .whereRaw(`created_at < now() - ${KEEP}`)
    .delete()
  const row = await tx('idempotency').where({ route: call.route, key: call.key }).first()
  if (!row) return { state: 'new' }
  if (row.body_hash !== contentHash(call.body)) return { state: 'other_body' }
  return { state: 'known', status: row.status, reply: row.reply }
}

/** Keeps the answer to a create for whoever sends it again. */
export async function remember(
  tx: Tx,
  call: { route: string; key: string; body: unknown },
  answer: { status: number; reply: unknown },
): Promise<void> {
  await tx('idempotency').insert({
    route: call.route,
    key: call.key,
    body_hash: contentHash(call.body),
    status: answer.status,
    reply: JSON.stringify(answer.reply),
  })
}

/** Removes answers that are kept no longer, now and then every hour. Returns what ends that. */
export async function keepForgetting(
  knex: Knex,
  onError: (error: Error) => void,
  everyMs = FORGET_EVERY_MS,
): Promise<() => void> {
  const forget = () => knex('idempotency').whereRaw(`created_at < now() - ${KEEP}`).delete()
  await forget()
  const timer = setInterval(() => void forget().catch(onError), everyMs)
  timer.unref()
  return () => clearInterval(timer)
}

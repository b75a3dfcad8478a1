import type { Knex } from 'knex'
import { type Listener, listen } from './listen.ts'
import { LOCKS } from './locks.ts'

/**
 * Says that a worker lives, until it is closed: a shared lock of a session, which Postgres drops the moment that the
 * process is gone. No heartbeat to write, none to be late. Taken again when the connection was lost.
 */
export function announceWorker(url: string, onError: (error: Error) => void): Listener {
  return listen({
    url,
    channels: [],
    onNotify: () => undefined,
    onError,
    prepare: (client) => client.query('select pg_advisory_lock_shared($1)', [LOCKS.worker]),
  })
}

/** Whether any worker lives. */
export async function workerLives(knex: Knex): Promise<boolean> {
  const { rows } = await knex.raw(
    `select exists (select 1 from pg_locks where locktype = 'advisory' and granted and classid = 0 and objid = ?
        and database = (select oid from pg_database where datname = current_database())) as lives`,
    [LOCKS.worker],
  )
  return rows[0].lives
}

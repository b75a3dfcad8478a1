import type { Knex } from 'knex'
import type pg from 'pg'
import { DatabaseProblem } from './connect.ts'
import { type Listener, listen } from './listen.ts'
import { LOCKS } from './locks.ts'

/** How often a worker shows that it does not hang. */
const BEAT_MS = 2_000
/** A worker that did not for this long hangs. A busy machine may delay it for a few seconds. */
const SILENT_SECONDS = 10

/**
 * Says that a worker lives, until it is closed: a shared lock of a session, which Postgres drops the moment that the
 * process is gone. One that is there and hangs keeps its session, so it also asks for nothing every two seconds: Postgres knows
 * when each session last asked, and nothing has to be written. Taken again when the connection was lost. `home`: the id of its home.
 */
export function announceWorker(
  url: string,
  home: string,
  onError: (error: Error) => void,
  beatMs = BEAT_MS,
): Listener {
  let session: pg.Client | undefined
  const listener = listen({
    url,
    channels: [],
    onNotify: () => undefined,
    onError,
    async prepare(client) {
      await client.query('select pg_advisory_lock_shared($1)', [LOCKS.worker])
      await client.query('select pg_advisory_lock_shared($1, hashtext($2))', [LOCKS.home, home])
      session = client
    },
  })
  // a session that is lost is told of, and opened again, by the listener
  const timer = setInterval(() => void session?.query('select').catch(() => undefined), beatMs)
  return {
    opened: listener.opened,
    close() {
      clearInterval(timer)
      return listener.close()
    },
  }
}

/**
 * Throws DatabaseProblem `other_home` when a worker of another home lives: the hubs and runs of a goal are in one home, and a worker of another
 * that gets its next step tells the person that they are gone. Asked by those who have announced themselves: of two at once, each sees the other.
 */
export async function refuseOtherHome(knex: Knex, home: string): Promise<void> {
  const { rows } = await knex.raw(
    `select from pg_locks
      where locktype = 'advisory' and granted and classid = ? and objsubid = 2
        and objid::bigint <> (hashtext(?)::bigint & x'ffffffff'::bigint)
        and database = (select oid from pg_database where datname = current_database())
      limit 1`,
    [LOCKS.home, home],
  )
  if (rows.length === 0) return
  throw new DatabaseProblem(
    'other_home',
    'A worker of another home (DISPATCH_HOME) is at work on this database, and neither would find the work that is in the home of the other. ' +
      'Stop that one, or give this home a database of its own (DATABASE_URL, database_url in config.toml).',
  )
}

/** `silentSince`: none of those that are there answers, and the last one did so then. */
export interface WorkerPresence {
  lives: boolean
  silentSince: string | null
}

/** Whether any worker lives, and answers. */
export async function workerPresence(
  knex: Knex,
  silentSeconds = SILENT_SECONDS,
): Promise<WorkerPresence> {
  // when a session last asked is hidden from other roles: theirs count as answering
  const { rows } = await knex.raw(
    `select max(asked) as last, bool_or(asked > now() - make_interval(secs => ?)) as lives
       from (select coalesce(a.state_change, now()) as asked
               from pg_locks l left join pg_stat_activity a using (pid)
              where locktype = 'advisory' and granted and classid = 0 and objid = ?
                and database = (select oid from pg_database where datname = current_database())) as workers`,
    [silentSeconds, LOCKS.worker],
  )
  const { last, lives } = rows[0]
  return { lives: lives === true, silentSince: lives === false ? last : null }
}

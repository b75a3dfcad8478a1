import knexFactory, { type Knex } from 'knex'
import pg from 'pg'
import { appendEvents, type EmittedEvent } from './events.ts'
import { LOCKS } from './locks.ts'
import { MIGRATIONS, SCHEMA_VERSION } from './migrations.ts'

export type Tx = Knex.Transaction

/** A connection pool and the one way to change state. */
export interface Database {
  knex: Knex
  url: string
  /**
   * Runs `work` in one transaction. Events given to `emit` are appended at its end, after every other lock was taken,
   * so that two changes can never wait for each other on the event counters. A serialization failure or a deadlock
   * (40001, 40P01) is tried again up to 3 times, so `work` must have no effect outside the transaction.
   */
  change<T>(work: (tx: Tx, emit: (event: EmittedEvent) => void) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/** The database is of a newer Dispatch, or cannot be used for another reason that a person must settle. */
export class DatabaseProblem extends Error {
  readonly code: 'newer_schema' | 'other_home' | 'unreachable'
  readonly exitCode: number

  constructor(code: 'newer_schema' | 'other_home' | 'unreachable', message: string) {
    super(message)
    this.name = 'DatabaseProblem'
    this.code = code
    this.exitCode = code === 'unreachable' ? 69 : 78
  }
}

// bigint columns (tokens, seqs) stay far below 2^53
pg.types.setTypeParser(20, Number)
pg.types.setTypeParser(1700, Number)
pg.types.setTypeParser(1184, (text) => new Date(text).toISOString())

/** Knex prints to the console what it throws anyway. */
const quiet = () => undefined
const SILENT = { warn: quiet, error: quiet, deprecate: quiet, debug: quiet }

/** Connects lazily: the first query opens the first connection. */
export function connect(url: string, options: { max?: number } = {}): Database {
  const knex = knexFactory({
    client: 'pg',
    log: SILENT,
    connection: {
      connectionString: url,
      statement_timeout: 60_000,
      idle_in_transaction_session_timeout: 60_000,
    },
    pool: { min: 0, max: options.max ?? 10 },
    acquireConnectionTimeout: 10_000,
  })
  return {
    knex,
    url,
    change: (work) => changeWithRetry(knex, work),
    close: () => knex.destroy(),
  }
}

/** Of the way to a server, a login or a database: nothing was asked yet. */
const UNREACHABLE = /^(?:E[A-Z_]{3,}|08...|28...|3D000)$/

/** Says of a server that cannot be used which one it is and what to do; any other error is given back. */
function explained(error: unknown, url: string): unknown {
  const { code = '', message } = error as { code?: string; message?: string }
  if (!UNREACHABLE.test(code)) return error
  const { host, pathname } = new URL(url)
  // where a name stands for several addresses Node has no message
  return new DatabaseProblem(
    'unreachable',
    `Postgres at ${host}${pathname} cannot be used: ${message || code}. ` +
      'See that it runs and has this user and database, and that DATABASE_URL (database_url in config.toml) is right where you set it.',
  )
}

const TRANSIENT = new Set(['40001', '40P01'])

async function changeWithRetry<T>(
  knex: Knex,
  work: (tx: Tx, emit: (event: EmittedEvent) => void) => Promise<T>,
): Promise<T> {
  for (let round = 1; ; round += 1) {
    try {
      return await knex.transaction(async (tx) => {
        const emitted: EmittedEvent[] = []
        const result = await work(tx, (event) => emitted.push(event))
        await appendEvents(tx, emitted)
        return result
      })
    } catch (error) {
      const code = (error as { code?: string }).code ?? ''
      if (round >= 3 || !TRANSIENT.has(code)) throw error
    }
  }
}

/**
 * Brings the schema to this version. Several processes may call it at once: an advisory lock lets one work.
 * Throws DatabaseProblem `newer_schema` when the database was made by a newer Dispatch, and `unreachable`; nothing is changed then.
 */
export async function migrate(url: string): Promise<void> {
  const pool = { min: 0, max: 2 }
  const knex = knexFactory({ client: 'pg', log: SILENT, connection: url, pool })
  try {
    await knex.transaction(async (lock) => {
      await lock.raw('select pg_advisory_xact_lock(?)', [LOCKS.migrations])
      await refuseNewer(knex)
      await knex.migrate.latest({ migrationSource: MIGRATIONS })
    })
  } catch (error) {
    throw explained(error, url)
  } finally {
    await knex.destroy()
  }
}

async function refuseNewer(knex: Knex): Promise<void> {
  if (!(await knex.schema.hasTable('knex_migrations'))) return
  const rows = await knex('knex_migrations').count({ n: '*' })
  const applied = Number(rows[0]?.['n'] ?? 0)
  if (applied <= SCHEMA_VERSION) return
  throw new DatabaseProblem(
    'newer_schema',
    `The database has schema version ${applied}, this Dispatch knows up to ${SCHEMA_VERSION}. ` +
      'Start the newer Dispatch that made it, or use another DISPATCH_HOME (or DATABASE_URL).',
  )
}

import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, inject } from 'vitest'
import { connect, type Database, migrate } from '../../db/connect.ts'

const TEMPLATE = 'dispatch_template'
const LOCK = 7_311 // any number that only this file uses

export interface TestDatabase {
  url: string
  /** Ends its connections and drops it. */
  drop(): Promise<void>
}

/** An own, migrated database in the run's Postgres. Copied from a template, which takes some tens of milliseconds. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const adminUrl = inject('databaseUrl')
  const name = `t_${randomBytes(6).toString('hex')}`
  await withAdmin(adminUrl, async (admin) => {
    await admin.query('select pg_advisory_lock($1)', [LOCK])
    await ensureTemplate(admin, adminUrl)
    // by its files, not page by page through the log: in half the time
    await admin.query(`create database ${name} template ${TEMPLATE} strategy file_copy`)
  })
  const drop = () =>
    withAdmin(adminUrl, (admin) => admin.query(`drop database if exists ${name} with (force)`))
  return { url: withDatabase(adminUrl, name), drop: async () => void (await drop()) }
}

/** One for all tests of a file, gone after them; `use` gets it before the first. */
export function databaseOfFile(use: (database: Database, url: string) => void): void {
  let own: TestDatabase
  let database: Database
  beforeAll(async () => {
    own = await createTestDatabase()
    database = connect(own.url)
    use(database, own.url)
  })
  afterAll(async () => {
    await database.close()
    await own.drop()
  })
}

async function ensureTemplate(admin: pg.Client, adminUrl: string) {
  const found = await admin.query('select 1 from pg_database where datname = $1', [TEMPLATE])
  if (found.rowCount) return
  // under another name first, so that a migration that fails leaves no half template
  const fresh = `${TEMPLATE}_new`
  await admin.query(`drop database if exists ${fresh} with (force)`)
  await admin.query(`create database ${fresh}`)
  await migrate(withDatabase(adminUrl, fresh))
  await admin.query(`alter database ${fresh} rename to ${TEMPLATE}`)
}

async function withAdmin<T>(url: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = new pg.Client({ connectionString: url })
  await admin.connect()
  try {
    return await work(admin)
  } finally {
    await admin.end() // releases the advisory lock
  }
}

function withDatabase(url: string, name: string): string {
  const parsed = new URL(url)
  parsed.pathname = `/${name}`
  return parsed.href
}

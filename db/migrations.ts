import type { Knex } from 'knex'
import * as initial from './migrations/001-initial.ts'
import * as corrections from './migrations/002-corrections.ts'
import * as stoppedRuns from './migrations/003-stopped-runs.ts'

const ALL: readonly { name: string; migration: Knex.Migration }[] = [
  { name: '001-initial', migration: initial },
  { name: '002-corrections', migration: corrections },
  { name: '003-stopped-runs', migration: stoppedRuns },
]

/** Migrations are part of the program, so that a bundled worker finds them without a folder beside it. */
export const MIGRATIONS: Knex.MigrationSource<(typeof ALL)[number]> = {
  getMigrations: async () => [...ALL],
  getMigrationName: (entry) => entry.name,
  getMigration: async (entry) => entry.migration,
}

export const SCHEMA_VERSION = ALL.length

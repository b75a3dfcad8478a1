import type { Knex } from 'knex'
import { down, up } from './migrations/001-initial.ts'

const ALL: readonly { name: string; migration: Knex.Migration }[] = [
  { name: '001-initial', migration: { up, down } },
]

/** Migrations are part of the program, so that a bundled worker finds them without a folder beside it. */
export const MIGRATIONS: Knex.MigrationSource<(typeof ALL)[number]> = {
  getMigrations: async () => [...ALL],
  getMigrationName: (entry) => entry.name,
  getMigration: async (entry) => entry.migration,
}

export const SCHEMA_VERSION = ALL.length

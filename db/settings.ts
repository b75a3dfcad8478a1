import type { Knex } from 'knex'
import { DEFAULT_SETTINGS } from '../contracts/default-settings.ts'
import type { Settings } from '../contracts/schemas.ts'

/** The settings as they are: stored values over the defaults. */
export async function readSettings(knex: Knex): Promise<Settings> {
  const rows: { key: string; value: unknown }[] = await knex('settings')
    .whereIn('key', Object.keys(DEFAULT_SETTINGS))
    .select('key', 'value')
  return { ...DEFAULT_SETTINGS, ...Object.fromEntries(rows.map((row) => [row.key, row.value])) }
}

/** First values of settings that nobody has set yet. */
export async function seedSettings(knex: Knex, first: Partial<Settings>): Promise<void> {
  const rows = Object.entries(first).map(([key, value]) => ({
    key,
    value: JSON.stringify(value),
    updated_by: 'configuration',
  }))
  if (rows.length > 0) await knex('settings').insert(rows).onConflict('key').ignore()
}

/** Stores these settings; the others keep their values. */
export async function writeSettings(
  tx: Knex.Transaction,
  changes: Partial<Settings>,
  by: string,
): Promise<void> {
  for (const [key, value] of Object.entries(changes)) {
    await tx('settings')
      .insert({ key, value: JSON.stringify(value), updated_by: by })
      .onConflict('key')
      .merge({ value: JSON.stringify(value), updated_by: by, updated_at: tx.fn.now() })
  }
}

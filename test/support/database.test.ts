import pg from 'pg'
import { expect, test } from 'vitest'
import { createTestDatabase } from './database.ts'

test('each test database is migrated, its own, and gone afterwards', async () => {
  const [one, two] = await Promise.all([createTestDatabase(), createTestDatabase()])
  expect(one.url).not.toBe(two.url)
  const client = new pg.Client({ connectionString: one.url })
  await client.connect()
  const { rows } = await client.query(
    "select count(*)::int as n from information_schema.tables where table_schema = 'public'",
  )
  expect(rows[0].n).toBeGreaterThan(5)
  await client.end()
  await one.drop()
  await two.drop()
  await expect(new pg.Client({ connectionString: one.url }).connect()).rejects.toThrow(
    /does not exist/,
  )
})

import { expect, test } from 'vitest'
import { databaseOfFile } from '../test/support/database.ts'
import type { Database } from './connect.ts'
import { databaseFindings } from './doctor.ts'

let database: Database
databaseOfFile((own) => {
  database = own
})

test('what cannot be looked at is a finding, and hides none of the others', async () => {
  await database.knex.schema.renameTable('run_leases', 'elsewhere')
  const found = await databaseFindings(database, true)
  expect(found.map(({ name, ok }) => [name, ok])).toEqual([
    ['worker', false],
    ['pool', false],
    ['outbox', true],
    ['runs', true],
  ])
  expect(found[1]).toMatchObject({
    message: expect.stringContaining('"run_leases" does not exist'),
    advice: 'see the message, and "dispatch logs --service api"',
    repaired: false,
  })
})

import { expect, test } from 'vitest'
import { databaseOfFile } from '../test/support/database.ts'
import { until } from '../test/support/until.ts'
import type { Database } from './connect.ts'
import { keepForgetting, remember } from './idempotency.ts'

let database: Database
databaseOfFile((own) => {
  database = own
})

test('answers of more than a day ago are removed at once, and also while the API runs on', async () => {
  const { knex } = database
  const old = async (key: string) => {
    const call = { route: 'createGoal', key, body: {} }
    await database.change((tx) => remember(tx, call, { status: 202, reply: {} }))
    await knex('idempotency')
      .where({ key })
      .update({ created_at: knex.raw("now() - interval '25 hours'") })
  }
  const kept = () => knex('idempotency').orderBy('key').pluck('key')
  await database.change((tx) =>
    remember(tx, { route: 'createGoal', key: 'new', body: {} }, { status: 202, reply: {} }),
  )
  await old('a')
  const end = await keepForgetting(knex, () => undefined, 20)
  expect(await kept()).toEqual(['new'])
  await old('b')
  await until(async () => !(await kept()).includes('b'), { ms: 5_000, what: 'it to be removed' })
  end()
  expect(await kept()).toEqual(['new'])
})

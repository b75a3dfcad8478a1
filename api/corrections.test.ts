import { afterAll, beforeAll, expect, test } from 'vitest'
import { noteCorrections } from '../db/corrections.ts'
import { insertGoal, insertRun } from './support/rows.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

let at: TestApi
beforeAll(async () => {
  at = await startTestApi()
})
afterAll(() => at.close())

test('a correction is filed once for its key, and each step that it takes is stored and told', async () => {
  const goal = await insertGoal(at.database)
  const run = await insertRun(at.database, goal)
  const file = () =>
    at.call(
      'POST',
      `/api/agents/${run}/corrections`,
      { text: 'Use tabs.' },
      { 'Idempotency-Key': run },
    )
  const made = await file()
  expect(made).toMatchObject({ status: 201, body: { state: 'queued', by: 'person:sam' } })
  expect(made.headers.location).toBeUndefined() // there is nothing to read under its own address
  expect((await file()).body.id).toBe(made.body.id)

  const row = await at.database.knex('agent_runs').where({ id: run }).first()
  const { id } = made.body
  const told = ['delivered', 'applied', 'delivered'] as const
  for (const state of told)
    await noteCorrections(at.database, row, [{ type: 'correction', id, state }])
  const { corrections } = (await at.call('GET', `/api/agents/${run}`)).body
  expect(corrections).toMatchObject([{ id, text: 'Use tabs.', state: 'applied' }])
  expect(corrections[0].deliveredAt <= corrections[0].appliedAt).toBe(true)
  const { items } = (await at.call('GET', `/api/events?stream=goal/${goal}`)).body
  expect(items.map((event: { data: { state: string } }) => event.data.state)).toEqual([
    'queued',
    'delivered',
    'applied',
  ])
})

test('a run that is over takes none, an unknown one is not found, an empty one is no correction', async () => {
  const run = await insertRun(at.database, await insertGoal(at.database))
  await at.database.knex('agent_runs').where({ id: run }).update({ status: 'done' })
  const correct = (id: string, text: string) =>
    at.call('POST', `/api/agents/${id}/corrections`, { text })
  expect(await correct(run, 'Too late')).toMatchObject({
    status: 409,
    body: { code: 'wrong_state', advice: expect.stringContaining('request changes') },
  })
  expect((await correct('A-999999', 'Nobody')).status).toBe(404)
  expect((await correct(run, '  ')).status).toBe(422)
})

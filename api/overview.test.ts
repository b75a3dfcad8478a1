import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertGoal } from './support/rows.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

let at: TestApi
beforeAll(async () => {
  at = await startTestApi()
})
afterAll(() => at.close())

test('the overview counts what is open and what waits, and lists of open goals leave out those that are over', async () => {
  const empty = await at.call('GET', '/api/overview')
  expect(empty.body).toMatchObject({
    projects: [],
    pendingReviews: 0,
    pool: { paused: false, held: 0 },
  })
  expect(empty.body.usage).toMatchObject({ total: 0, costUsd: 0 })

  const [first, second, third] = [
    await insertGoal(at.database),
    await insertGoal(at.database),
    await insertGoal(at.database),
  ]
  const { knex } = at.database
  await knex('goals').where({ id: second }).update({ status: 'needs_attention' })
  await knex('goals').where({ id: third }).update({ status: 'completed' })
  const { body } = await at.call('GET', '/api/overview')
  const sum = (key: 'open' | 'waiting') =>
    body.projects.reduce((all: number, one: Record<typeof key, number>) => all + one[key], 0)
  expect({ open: sum('open'), waiting: sum('waiting') }).toEqual({ open: 2, waiting: 1 })

  const ids = async (state: string) =>
    (await at.call('GET', `/api/goals?state=${state}`)).body.items.map(
      (goal: { id: string }) => goal.id,
    )
  expect((await ids('open')).sort()).toEqual([first, second].sort())
  expect(await ids('over')).toEqual([third])
})

test('a wrong time is refused with the field', async () => {
  const { status, body } = await at.call('GET', '/api/overview?since=yesterday')
  expect(status).toBe(422)
  expect(body.errors[0].pointer).toBe('/since')
})

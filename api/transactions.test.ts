import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertGoal, insertReview, insertRun } from './support/rows.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

let at: TestApi
beforeAll(async () => {
  at = await startTestApi()
})
afterAll(() => at.close())

/** A connection takes one question at a time; pg 9 will refuse a second one, and pg 8 warns. */
test('no change asks twice at once over its one connection', async () => {
  const asked = new Map<string, string>()
  const together: string[] = []
  type Query = { __knexUid: string; sql: string }
  at.database.knex.on('query', ({ __knexUid: connection, sql }: Query) => {
    if (/^(BEGIN|COMMIT)/.test(sql)) return // knex tells of no end of these
    const before = asked.get(connection)
    if (before !== undefined) together.push(`${before}\n${sql}`)
    asked.set(connection, sql)
  })
  for (const end of ['query-response', 'query-error'])
    at.database.knex.on(end, (...args: unknown[]) => {
      const query = args.find((arg) => (arg as Query | null)?.__knexUid !== undefined) as Query
      asked.delete(query.__knexUid)
    })
  const goal = await insertGoal(at.database)
  const run = await insertRun(at.database, goal)
  const review = await insertReview(at.database, goal)
  const project = { path: at.repository, name: 'shop' }
  for (const [path, body] of [
    ['projects', project],
    ['goals', { project: 'shop', description: 'x', profile: 'Demo' }],
    [`agents/${run}/corrections`, { text: 'Use tabs' }],
    [`goals/${goal}/pause`, {}],
    [`goals/${goal}/resume`, {}],
    [`reviews/${review}/decision`, { decision: 'approve', hash: 'h1' }],
    [`agents/${run}/stop`, {}],
    ['pool/pause', {}],
    ['pool/resume', {}],
    [`goals/${goal}/cancel`, {}],
  ] as const)
    expect((await at.call('POST', `/api/${path}`, body)).status, path).toBeLessThan(300)
  expect(together).toEqual([])
})

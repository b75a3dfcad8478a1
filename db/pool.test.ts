import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../test/support/database.ts'
import { until } from '../test/support/until.ts'
import { connect, type Database } from './connect.ts'
import { acquireLease, releaseLease, renewLease, setPoolPaused } from './pool.ts'
import { poolState } from './views/pool.ts'

let own: TestDatabase
let database: Database
const goals: string[] = []

beforeAll(async () => {
  own = await createTestDatabase()
  database = connect(own.url)
  const [project] = await database
    .knex('projects')
    .insert({ name: 'p', path: '/p', default_branch: 'main' })
    .returning('id')
  for (let n = 0; n < 4; n += 1) {
    const row = {
      project_id: project.id,
      title: `g${n}`,
      description: 'x',
      profile: '{}',
      target_branch: 'main',
    }
    const [goal] = await database.knex('goals').insert(row).returning('id')
    goals.push(goal.id)
  }
})
beforeEach(() => database.knex('run_leases').delete())
afterAll(async () => {
  await database.close()
  await own.drop()
})

const ask = (id: string, goal: number) =>
  acquireLease(database, { id, goalId: goals[goal] as string, stage: 'implement', adapter: 'demo' })
const free = (id: string) => database.change((tx, emit) => releaseLease(tx, id, emit))

test('three run in all, two of a goal; the others learn their place and why', async () => {
  expect(await ask('a1', 0)).toEqual({ granted: true })
  expect(await ask('a2', 0)).toEqual({ granted: true })
  expect(await ask('a3', 0)).toEqual({
    granted: false,
    position: 1,
    reason: '2 runs of this goal are at work, as many as a goal may have',
  })
  // a goal at its limit does not hold up the others
  expect(await ask('b1', 1)).toEqual({ granted: true })
  expect(await ask('c1', 2)).toEqual({
    granted: false,
    position: 2,
    reason: 'all 3 places of the pool are taken',
  })
  expect(await ask('a1', 0)).toEqual({ granted: true })
  await free('b1')
  expect(await ask('d1', 3)).toMatchObject({
    ...{ granted: false, position: 3 },
    reason: '2 of 3 places of the pool are taken, those before it go first',
  })
  expect((await poolState(database.knex)).waiting.map(({ reason }) => reason)).toEqual([
    '2 runs of this goal are at work, as many as a goal may have',
    '2 of 3 places of the pool are taken, it starts in a moment',
    '2 of 3 places of the pool are taken, those before it go first',
  ])
  expect(await ask('c1', 2)).toEqual({ granted: true })
  await free('a1')
  expect(await ask('a3', 0)).toEqual({ granted: true })
})

test('whoever looks at the pool learns at once that a run entered the line, and only once', async () => {
  await database.change((tx, emit) => setPoolPaused(tx, emit, { paused: true, actor: 'me' }))
  const told = async () =>
    (await database.knex('events').where({ type: 'pool.status' }).orderBy('seq')).map(
      ({ data }) => data.waiting,
    )
  const before = (await told()).length
  await ask('a1', 0)
  await ask('a1', 0)
  await ask('b1', 1)
  await database.change((tx, emit) => setPoolPaused(tx, emit, { paused: false, actor: 'me' }))
  expect((await told()).slice(before, before + 2)).toEqual([1, 2])
  expect((await told()).length).toBe(before + 3)
})

test('who came first goes first, and asking again keeps the place', async () => {
  for (const id of ['a1', 'b1', 'c1']) await ask(id, ['a1', 'b1', 'c1'].indexOf(id))
  expect(await ask('d1', 3)).toMatchObject({ position: 1 })
  expect(await ask('b2', 1)).toMatchObject({ position: 2 })
  await free('a1')
  expect(await ask('b2', 1)).toMatchObject({ granted: false })
  expect(await ask('d1', 3)).toEqual({ granted: true })
})

test('a hundred at once: never more than the limit', async () => {
  const answers = await Promise.all(Array.from({ length: 100 }, (_, n) => ask(`x${n}`, n % 4)))
  expect(answers.filter((answer) => answer.granted)).toHaveLength(3)
  const held = await database.knex('run_leases').where({ state: 'held' })
  expect(held).toHaveLength(3)
  for (const goal of goals)
    expect(held.filter((row) => row.goal_id === goal).length).toBeLessThanOrEqual(2)
})

test('a run that is at work has its place, and a paused goal does not hold up the line', async () => {
  for (const [n, id] of ['a1', 'b1', 'c1'].entries()) await ask(id, n)
  const request = {
    id: 'd1',
    goalId: goals[3] as string,
    stage: 'implement',
    adapter: 'demo',
    atWork: true,
  }
  expect(await acquireLease(database, request)).toEqual({ granted: true })
  await ask('a2', 0)
  await ask('b2', 1)
  await database.knex('goals').where({ id: goals[0] }).update({ paused: true })
  await free('c1')
  await free('d1')
  expect(await ask('b2', 1)).toEqual({ granted: true })
  await database.knex('goals').where({ id: goals[0] }).update({ paused: false })
})

test('a paused pool starts nothing and says who paused it', async () => {
  const pause = () =>
    database.change((tx, emit) => setPoolPaused(tx, emit, { paused: true, actor: 'person:sam' }))
  await Promise.all([pause(), pause(), pause()])
  expect(await ask('a1', 0)).toMatchObject({
    granted: false,
    reason: expect.stringMatching(
      /^the pool is paused by sam since \d{4}-\d\d-\d\d \d\d:\d\d UTC\b/,
    ),
  })
  const told = await database.knex('events').where({ actor: 'person:sam' })
  expect(told).toMatchObject([{ type: 'pool.status', data: { paused: true } }])
  await database.change((tx, emit) =>
    setPoolPaused(tx, emit, { paused: false, actor: 'person:sam' }),
  )
  expect(await ask('a1', 0)).toEqual({ granted: true })
})

/** As if so much time had passed since all that happened. */
const pass = (seconds: number) =>
  database.knex.raw(
    `update run_leases set expires_at = expires_at - t.by, overdue_since = overdue_since - t.by,
       overdue_seen = overdue_seen - t.by from (select make_interval(secs => ?) as by) t`,
    [seconds],
  )

/** So many looks of one in line, ten seconds after each other; the last answer. */
async function look(id: string, times: number) {
  let answer = await ask(id, 3)
  for (let n = 1; n < times; n += 1) {
    await pass(10)
    answer = await ask(id, 3)
  }
  return answer
}

test('after a sleep of the machine nobody gets the place of a run at work; a place that nobody renews is free after a while', async () => {
  for (const [n, id] of ['a1', 'b1', 'c1'].entries()) await ask(id, n)
  const waits = { granted: false, position: 1, reason: 'all 3 places of the pool are taken' }
  await pass(8 * 3600)
  expect(await look('d1', 7)).toEqual(waits)
  await pass(8 * 3600) // asleep again: whoever holds a place had no turn meanwhile
  expect(await look('d1', 7)).toEqual(waits)
  for (const id of ['a1', 'b1']) await renewLease(database, id)
  expect(await look('d1', 3)).toEqual({ granted: true })
  const held = await database.knex('run_leases').where({ state: 'held' }).orderBy('id').pluck('id')
  expect(held).toEqual(['a1', 'b1', 'd1'])
})

test('a clock that is set back changes no turn in the line, and nobody holds it up until the time of before comes again', async () => {
  for (const [n, id] of ['a1', 'b1', 'c1'].entries()) await ask(id, n)
  await ask('d1', 3)
  await ask('a2', 0)
  await database.knex.raw(
    `update run_leases set enqueued_at = enqueued_at + t.by, seen_at = seen_at + t.by,
       expires_at = expires_at + t.by from (select interval '1 hour' as by) t`,
  )
  expect(await ask('d2', 3)).toMatchObject({ position: 3 })
  expect(await ask('a2', 0)).toMatchObject({ position: 2 })
  // nobody asks for d1 and d2 any more, and whoever held these places is gone
  await database.knex.raw(
    `update run_leases set seen_at = seen_at - interval '61 seconds' where goal_id = ?`,
    [goals[3] as string],
  )
  await pass(200)
  let answer = await ask('a2', 0)
  for (let n = 1; n < 9; n += 1) {
    await pass(10)
    answer = await ask('a2', 0)
  }
  expect(answer).toEqual({ granted: true })
})

test('a run at work whose place was given away while Postgres was away counts again, and one that is over does not', async () => {
  for (const [n, id] of ['a1', 'b1', 'c1'].entries()) await ask(id, n)
  await database.knex('run_leases').update({ state: 'expired' })
  expect(await ask('d1', 3)).toEqual({ granted: true })
  await renewLease(database, 'a1')
  await renewLease(database, 'b1')
  expect(await ask('d2', 3)).toMatchObject({
    granted: false,
    reason: 'all 3 places of the pool are taken',
  })
  for (const id of ['a1', 'c1']) {
    await free(id)
    await renewLease(database, id)
  }
  expect(await ask('d2', 3)).toEqual({ granted: true })
})

test('a run on hold waits whatever the pool has, says why, gives back its place, and goes on in it', async () => {
  const request = { id: 'a1', goalId: goals[0] as string, stage: 'implement', adapter: 'demo' }
  expect(await ask('a1', 0)).toEqual({ granted: true })
  expect(await ask('b1', 1)).toEqual({ granted: true })
  const held = () => database.knex('run_leases').where({ state: 'held' }).pluck('id')
  const hold = 'disk almost full'
  expect(await acquireLease(database, { ...request, hold })).toEqual({
    ...{ granted: false, position: 1, reason: hold },
  })
  expect(await held()).toEqual(['b1'])
  expect(await acquireLease(database, request)).toEqual({ granted: true })
})

test('a held place that ran out is taken anew by its own run before another can have it', async () => {
  for (const [n, id] of ['a1', 'b1', 'c1'].entries()) await ask(id, n)
  await database
    .knex('run_leases')
    .update({ expires_at: database.knex.raw(`now() - interval '1 second'`) })
  for (const [n, id] of ['a1', 'b1', 'c1'].entries())
    expect(await ask(id, n)).toEqual({ granted: true })
  expect(await ask('d1', 3)).toEqual({
    granted: false,
    position: 1,
    reason: 'all 3 places of the pool are taken',
  })
})

test('a run of a paused goal is told that its goal is paused', async () => {
  await database.knex('goals').where({ id: goals[0] }).update({ paused: true })
  expect(await ask('a1', 0)).toEqual({
    granted: false,
    position: 0,
    reason: 'the goal is paused',
  })
  await database.knex('goals').where({ id: goals[0] }).update({ paused: false })
})

test('a place for a run that is at work does not say that a paused pool goes on', async () => {
  await database.change((tx, emit) =>
    setPoolPaused(tx, emit, { paused: true, actor: 'person:sam' }),
  )
  const request = { id: 'a1', goalId: goals[0] as string, stage: 'implement', adapter: 'demo' }
  expect(await acquireLease(database, { ...request, atWork: true })).toEqual({ granted: true })
  const last = await database
    .knex('events')
    .where({ type: 'pool.status' })
    .orderBy('feed_seq', 'desc')
    .first('data')
  expect(last.data).toEqual({ paused: true, held: 1, waiting: 0 })
  await database.change((tx, emit) =>
    setPoolPaused(tx, emit, { paused: false, actor: 'person:sam' }),
  )
})

test('two places that are given back at the same time are told as two', async () => {
  for (const [n, id] of ['a1', 'b1'].entries()) await ask(id, n)
  let other: Promise<void> | undefined
  let isOver = false
  const waits = () =>
    database
      .knex('pg_stat_activity')
      .where({ wait_event_type: 'Lock' })
      .whereRaw('datname = current_database()')
      .first('pid')
  await database.change(async (tx, emit) => {
    await releaseLease(tx, 'a1', emit)
    other = free('b1').finally(() => {
      isOver = true
    })
    await until(async () => isOver || (await waits()) !== undefined, { ms: 10_000, what: 'it' })
  })
  await other
  const last = await database
    .knex('events')
    .where({ type: 'pool.status' })
    .orderBy('feed_seq', 'desc')
    .first('data')
  expect(last.data).toEqual({ paused: false, held: 0, waiting: 0 })
})

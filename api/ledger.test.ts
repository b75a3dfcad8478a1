import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { formatUsedTokens, usedByRun } from '../contracts/figures.ts'
import type { LedgerRow } from '../contracts/schemas.ts'
import { endSegment } from '../db/runs.ts'
import { insertGoal } from './support/rows.ts'
import { startTestApi, type TestApi } from './support/test-api.ts'

let at: TestApi
let goal: string
let number: number
beforeAll(async () => {
  at = await startTestApi()
})
beforeEach(async () => {
  await at.database.knex('agent_runs').delete()
  goal = await insertGoal(at.database, 'Invoices')
  number = (await at.database.knex('goals').where({ id: goal }).first('number')).number
})
afterAll(() => at.close())

let segment = 0
const run = (columns: Record<string, unknown>) =>
  at.database.knex('agent_runs').insert({
    ...{ goal_id: goal, stage: 'spec', attempt: 1, segment: ++segment, purpose: 'start' },
    ...{ adapter: 'claude', status: 'done', tokens_in: 1000, tokens_out: 100, cost_usd: 1 },
    ...columns,
  })
const ledger = async (query: string) => {
  const { status, body } = await at.call('GET', `/api/ledger?${query}`)
  expect(status, JSON.stringify(body)).toBe(200)
  return body
}
const keys = (body: { items: LedgerRow[] }) => body.items.map(({ key }) => key)

test('a cost is told, estimated or unknown, and a sum says which of these it holds', async () => {
  await run({ cost_usd: 0.5 })
  await run({ adapter: 'codex', model: 'gpt-5', cost_usd: null, cost_estimate_usd: 0.25 })
  expect((await ledger('by=goal')).total).toMatchObject({
    ...{ runs: 2, costUsd: 0.75, knownUsd: 0.75, estimatedUsd: 0.25, unpricedRuns: 0 },
  })
  // the agent's own figure is taken where there are both
  await run({ adapter: 'gemini', cost_usd: null })
  await run({ cost_usd: 0.1, cost_estimate_usd: 9 })
  const body = await ledger('by=adapter')
  expect(body.total).toMatchObject({
    ...{ runs: 4, costUsd: null, knownUsd: 0.85, estimatedUsd: 0.25, unpricedRuns: 1 },
  })
  expect(body.items.find(({ key }: LedgerRow) => key === 'gemini').usage).toMatchObject({
    ...{ costUsd: null, knownUsd: 0, unpricedRuns: 1 },
  })
  const { body: agents } = await at.call('GET', `/api/agents?goal=${goal}`)
  expect(agents.items.map((one: { usage: object }) => one.usage)).toMatchObject([
    { costUsd: 0.1, estimatedUsd: 0 },
    { costUsd: null, unpricedRuns: 1 },
    { costUsd: 0.25, estimatedUsd: 0.25 },
    { costUsd: 0.5 },
  ])
})

test('tokens that an agent does not tell are not taken for zero: the sum says that it leaves them out', async () => {
  const before = (await ledger('by=goal')).total
  await run({ adapter: 'acp:late', tokens_in: 0, tokens_out: 0, tokens_estimated: 700 })
  const body = await ledger('by=adapter')
  expect(body.total).toMatchObject({ total: before.total, uncountedRuns: 1, estimatedTokens: 700 })
  const late = body.items.find(({ key }: LedgerRow) => key === 'acp:late').usage
  expect(formatUsedTokens(late)).toBe('unknown')
  expect(formatUsedTokens({ ...body.total, total: 1234 }, true)).toBe('1234+')
})

test('a run that used nothing costs nothing; what one used and did not tell costs nobody knows what', async () => {
  const nothing = { tokens_in: 0, tokens_out: 0, cost_usd: null }
  await run({ ...nothing, status: 'failed', exit_reason: 'rate_limit' })
  await run({ ...nothing, status: 'interrupted', exit_reason: 'interrupted' })
  await run({ ...nothing, status: 'running' })
  const none = { costUsd: 0, unpricedRuns: 0, uncountedRuns: 0 }
  expect((await ledger('by=goal')).total).toMatchObject(none)
  // within its first answer
  await run({ ...nothing, status: 'running', tokens_estimated: 500 })
  const unknown = { costUsd: null, knownUsd: 0, unpricedRuns: 1, uncountedRuns: 1 }
  expect((await ledger('by=goal')).total).toMatchObject(unknown)
  // broken off in its second one
  await run({ cost_usd: 0.04, status: 'lost', exit_reason: 'crash', tokens_estimated: 500 })
  const some = { costUsd: null, knownUsd: 0.04, unpricedRuns: 2, uncountedRuns: 2 }
  expect((await ledger('by=goal')).total).toMatchObject(some)
})

test('a run whose runner was killed may have gone on unheard: what it cost is unknown, unless it never said a word', async () => {
  const lost = { status: 'lost', exit_reason: 'crash' }
  await run({ ...lost, tokens_in: 0, tokens_out: 0, cost_usd: null })
  expect((await ledger('by=goal')).total).toMatchObject({ costUsd: 0, uncountedRuns: 0 })
  await run({ ...lost, cost_usd: 0.04, last_seq: 7 })
  const { total } = await ledger('by=goal')
  expect(total).toMatchObject({ costUsd: null, knownUsd: 0.04, unpricedRuns: 1 })
  expect(formatUsedTokens(total)).toBe('1.1k+')
})

test('what happened says of a run which of its tokens are unknown, as its sum does', async () => {
  await run({ status: 'running', tokens_estimated: 500 })
  const last = await at.database.knex('agent_runs').orderBy('id', 'desc').first()
  const terminal = { type: 'failed', reason: 'crash', detail: 'killed' } as const
  await endSegment(at.database, last, { status: 'lost', terminal })
  const { body } = await at.call('GET', `/api/events?stream=goal/${goal}&last=1`)
  const { data } = body.items.at(-1)
  expect(data).toMatchObject({ status: 'lost', tokens: 1100, uncounted: true })
  expect(formatUsedTokens(usedByRun(data))).toBe('1.1k+')
})

test('what came from the cache, what that saved, and a flag where it is little', async () => {
  await run({
    adapter: 'claude',
    tokens_in: 500,
    tokens_cache_read: 9000,
    tokens_cache_write: 500,
    cache_saved_usd: 0.2,
  })
  await run({ adapter: 'codex', tokens_in: 9000, tokens_cache_read: 1000, cache_saved_usd: 0.01 })
  await run({ adapter: 'gemini', tokens_in: 900, cache_saved_usd: null })
  const body = await ledger('by=adapter')
  const of = (key: string) => body.items.find((row: LedgerRow) => row.key === key).usage
  expect(of('claude')).toMatchObject({ cacheHitRatio: 0.9, lowCache: false, cacheSavedUsd: 0.2 })
  expect(of('codex')).toMatchObject({ cacheHitRatio: 0.1, lowCache: true, cacheSavedUsd: 0.01 })
  // too little input for any cache
  expect(of('gemini')).toMatchObject({ cacheHitRatio: 0, lowCache: false, cacheSavedUsd: null })
  expect(body.total).toMatchObject({ runs: 3, lowCache: false, cacheSavedUsd: 0.21 })
})

test('grouped by anything, of a goal or a project, in a time', async () => {
  const other = await insertGoal(at.database, 'Search')
  await run({ stage: 'spec', model: 'opus' })
  await run({ stage: 'implement', tokens_in: 2000 })
  await run({ goal_id: other, created_at: '2026-01-31T23:30:00Z', adapter: 'codex' })
  expect(await ledger('by=goal')).toMatchObject({
    items: [{ key: `G-${number}`, label: 'Invoices', usage: { runs: 2 } }, { label: 'Search' }],
  })
  expect(keys(await ledger('by=stage'))).toEqual(['spec', 'implement'])
  expect(keys(await ledger(`by=stage&goal=G-${number}`))).toEqual(['implement', 'spec'])
  expect(keys(await ledger('by=model'))).toEqual(['unknown', 'opus'])
  expect(keys(await ledger('by=task'))).toEqual(['none'])
  expect((await ledger('by=run')).items).toHaveLength(3)
  const { project_id } = await at.database.knex('goals').where({ id: other }).first()
  expect(await ledger(`by=project&project=${project_id}`)).toMatchObject({
    items: [{ key: expect.stringMatching(/^P-\d+$/), label: 'rows' }],
    total: { runs: 1 },
  })
  const january = 'from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z'
  expect(await ledger(`by=adapter&${january}`)).toMatchObject({
    items: [{ key: 'codex' }],
    total: { runs: 1 },
  })
  // half an hour before midnight in London is another day in Berlin
  expect(keys(await ledger(`by=day&${january}`))).toEqual(['2026-01-31'])
  expect(keys(await ledger(`by=day&${january}&zone=Europe/Berlin`))).toEqual(['2026-02-01'])
  // and a day alone begins at midnight there
  const days = 'by=adapter&from=2026-01-01&to=2026-02-01'
  expect((await ledger(days)).total.runs).toBe(1)
  expect((await ledger(`${days}&zone=Europe/Berlin`)).total.runs).toBe(0)
  // Postgres does not know every name of a zone
  for (const [zone, day] of [
    ['AET', '2026-02-01'],
    ['US/Pacific-New', '2026-01-31'],
  ])
    expect(keys(await ledger(`by=day&${january}&zone=${zone}`))).toEqual([day])
  const { status, body } = await at.call('GET', '/api/ledger?zone=Mars/Olympus')
  expect([status, body.errors[0].detail]).toEqual([422, expect.stringContaining('time zone')])
  expect((await at.call('GET', '/api/ledger?goal=G-999999')).status).toBe(404)
})

test('by cost the dearest come first on every page, whatever their tokens', async () => {
  await run({ adapter: 'a', tokens_in: 9000, cost_usd: 0.5 })
  await run({ adapter: 'b', tokens_in: 10, cost_usd: 2 })
  await run({ adapter: 'c', tokens_in: 20, cost_usd: null, cost_estimate_usd: 0.500001 })
  await run({ adapter: 'd', tokens_in: 99_000, cost_usd: null })
  await run({ adapter: 'e', tokens_in: 30, cost_usd: 1 })
  expect(keys(await ledger('by=adapter'))).toEqual(['d', 'a', 'e', 'c', 'b'])
  const first = await ledger('by=adapter&order=cost&limit=2')
  const rest = await ledger(`by=adapter&order=cost&limit=3&cursor=${first.next}`)
  expect([keys(first), keys(rest)]).toEqual([
    ['b', 'e'],
    ['c', 'a', 'd'],
  ])
  const mixed = await at.call('GET', `/api/ledger?by=adapter&order=tokens&cursor=${first.next}`)
  expect(mixed.status).toBe(422)
})

test('page by page it tells each group once', async () => {
  for (let n = 0; n < 7; n += 1) await run({ tokens_in: 10 * (n % 3) })
  const seen: string[] = []
  let cursor = ''
  do {
    const body = await ledger(`by=run&limit=3${cursor}`)
    expect(body.total.runs).toBe(7)
    seen.push(...keys(body))
    cursor = body.next === null ? '' : `&cursor=${body.next}`
  } while (cursor !== '')
  expect(new Set(seen).size).toBe(7)
  expect(seen).toHaveLength(7)
  expect((await at.call('GET', '/api/ledger?cursor=x')).status).toBe(422)
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { lockBudgets } from '../db/budgets.ts'
import { connect, type Database, migrate } from '../db/connect.ts'
import { loadFacts } from '../db/facts.ts'
import { createSegment, endSegment, readRun } from '../db/runs.ts'
import { writeSettings } from '../db/settings.ts'
import type { StageKey } from '../db/stages.ts'
import { storeEvents } from '../db/transcripts.ts'
import { BudgetHold, dayOf } from '../domain/budget.ts'
import { createTestDatabase, type TestDatabase } from '../test/support/database.ts'
import type { ActivityDeps } from './deps.ts'
import { budgetHold, reserveForStart, watchReservation } from './reserve.ts'
import { createReviewActivities } from './review.ts'

let own: TestDatabase
let database: Database
let deps: ActivityDeps
beforeAll(async () => {
  own = await createTestDatabase()
  database = connect(own.url)
  deps = { database } as unknown as ActivityDeps
})
afterAll(async () => {
  await database.close()
  await own.drop()
})

const RUNS = 6
const [SMALLEST, LARGEST] = [500, 1_500]

/** A goal with as many tasks as there are runs. */
async function goalWith(goalBudget: number, tokenBudget = 0): Promise<StageKey[]> {
  const { knex } = database
  const [project] = await knex('projects')
    .insert({ name: 'p', path: `/nowhere/${crypto.randomUUID()}`, default_branch: 'main' })
    .returning('id')
  const [goal] = await knex('goals')
    .insert({
      ...{ project_id: project.id, title: 'g', description: 'x', target_branch: 'main' },
      ...{ profile: JSON.stringify({ tokenBudget }), token_budget: goalBudget },
    })
    .returning('id')
  const tasks = await knex('tasks')
    .insert(
      Array.from({ length: RUNS }, (_, n) => ({
        ...{ goal_id: goal.id, key: String(n), title: 't', description: 'x', role: 'implement' },
        token_budget: tokenBudget,
      })),
    )
    .returning('id')
  return tasks.map(({ id }) => ({ goalId: goal.id, taskId: id, stage: 'implement', attempt: 1 }))
}

/** Starts a run as the stage does; undefined when a person has to be asked. */
async function start(key: StageKey, segment: number) {
  const facts = await loadFacts(database.knex, key.goalId, key.taskId)
  return database.change(async (tx, emit) => {
    const reserved = await reserveForStart(tx, key, facts)
    if (typeof reserved !== 'number') return reserved
    const run = {
      opinion: 1,
      purpose: 'start',
      adapter: 'demo',
      model: null,
      sessionId: null,
    } as const
    return createSegment(tx, emit, { key, segment, ...run, tokensReserved: reserved })
  })
}

/** An agent that goes on until it is stopped. Answers what its responses took, the last one last. */
async function work(key: StageKey): Promise<number[]> {
  const responses: number[] = []
  for (let segment = 1; ; segment += 1) {
    const run = await start(key, segment).catch((error) => error)
    if (run instanceof BudgetHold || 'summary' in run) return responses
    if (run instanceof Error) throw run
    const budget = watchReservation(deps, key, run)
    let used = 0
    for (let seq = 1; ; seq += 1) {
      const response = SMALLEST + Math.floor(Math.random() * (LARGEST - SMALLEST))
      responses.push(response)
      used += response
      const usage = { input: used, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 }
      const at = new Date().toISOString()
      await storeEvents(database, run.id, [{ type: 'usage', usage, seq, at }])
      if (await budget.isOver(used)) break
    }
    const terminal = { type: 'failed', reason: 'interrupted', detail: 'budget' } as const
    await endSegment(database, run, { status: 'interrupted', terminal, reason: 'budget' })
  }
}

test('parallel runs of one goal go beyond its budget by one response each at most, and leave nothing of it', async () => {
  const budget = 150_000
  const keys = await goalWith(budget)
  const all = await Promise.all(keys.map(work))
  const used = all.flat().reduce((sum, tokens) => sum + tokens, 0)
  const last = all.reduce((sum, responses) => sum + (responses.at(-1) ?? 0), 0)
  expect(used).toBeGreaterThanOrEqual(budget)
  expect(used).toBeLessThanOrEqual(budget + last)
  const runs = await database.knex('agent_runs').where({ goal_id: keys[0]?.goalId })
  expect(runs.length).toBeGreaterThan(1)
  // each kept to its part, but for the response at hand
  for (const run of runs) expect(run.tokens_in - run.tokens_reserved).toBeLessThan(LARGEST)
})

test('a run waits for what others hold, and starts when they end', async () => {
  const keys = await goalWith(12_000)
  const [first, second] = keys as [StageKey, StageKey]
  const run = await start(first, 1)
  expect(run).toMatchObject({ tokens_reserved: 10_000 })
  expect(await start(second, 1)).toMatchObject({ tokens_reserved: 2_000 })
  const third = keys[2] as StageKey
  await expect(start(third, 1)).rejects.toThrow("the rest of the goal's budget of 12000 tokens")
  expect(await budgetHold(deps, third)).toContain('goes on when one of them ends')
  const terminal = { type: 'done', text: 'done' } as const
  await endSegment(database, run as never, { status: 'done', terminal })
  expect(await budgetHold(deps, third)).toBeUndefined()
  expect(await start(third, 1)).toMatchObject({ tokens_reserved: 10_000 })
})

test('one stage asks for the goal, and the others wait for its review', async () => {
  const [first, second] = (await goalWith(1_000)) as [StageKey, StageKey]
  const run = await start(first, 1)
  if ('summary' in run) throw new Error(run.summary)
  await database.knex('agent_runs').where({ id: run.id }).update({ tokens_in: 1_200 })
  expect(await watchReservation(deps, first, run).isOver(1_200)).toBe(true)
  expect((await readRun(database.knex, run.id)).budget_stop).toBe('goal')
  expect(await start(first, 2)).toMatchObject({
    summary: expect.stringMatching(/^Goal G-\d+ used 1.2k of its budget of 1.0k tokens\.$/),
  })
  expect(await start(first, 2)).toMatchObject({ type: 'used_up' })
  await expect(start(second, 1)).rejects.toThrow(/used up its budget: more is being asked for/)
  const review = { kind: 'budget', goal_id: first.goalId, budget_scope: 'goal', workflow_id: 'w' }
  await database.knex('reviews').insert({
    ...{
      ...review,
      attempt: 1,
      title: 'more?',
      reason: 'x',
      hash: 'h',
      tier: 'block',
      risk: 'low',
    },
  })
  expect(await budgetHold(deps, second)).toMatch(/goes on when R-\d+ is decided/)
})

test('nobody is asked again for tokens that a person has just granted', async () => {
  const { knex } = database
  const [first, second] = (await goalWith(1_000)) as [StageKey, StageKey]
  const { goalId: goal_id, taskId: task_id } = first
  const run = await start(first, 1)
  if ('summary' in run) throw new Error(run.summary)
  const terminal = { type: 'done', text: 'done' } as const
  await endSegment(database, run, { status: 'done', terminal })
  await knex('agent_runs').where({ id: run.id }).update({ tokens_in: 1_200 })
  expect(await start(first, 2)).toMatchObject({ type: 'used_up' })
  const [review] = await knex('reviews')
    .insert({
      ...{ goal_id, task_id, kind: 'budget', budget_scope: 'goal', attempt: 1, workflow_id: 'w' },
      ...{ title: 'more?', reason: 'x', hash: 'h', tier: 'block', risk: 'low' },
      ...{ status: 'approved', decision: 'approve', offered_tokens: 2_400 },
    })
    .returning('id')
  // the workflow that asked has not read the approval yet, which may take minutes
  await knex('goals').where({ id: goal_id }).update({ budget_asked_at: '2026-01-01' })
  expect(await budgetHold(deps, second)).toMatch(/goes on when R-\d+ gives it the tokens/)
  await expect(start(second, 1)).rejects.toThrow(/goes on when R-\d+ gives it the tokens/)
  await createReviewActivities(deps).settleReview({ reviewId: review.id })
  expect(await start(second, 1)).toMatchObject({ tokens_reserved: 1_200 })
})

test('at the end of the day’s budget runs wait for the next day, or for more', async () => {
  const [first, second] = (await goalWith(0)) as [StageKey, StageKey]
  const used = await database.knex('agent_runs').sum({ n: 'tokens_in' }).first()
  const dayBudget = Number(used?.['n']) + 5_000
  const set = (value: number) =>
    database.change((tx) => writeSettings(tx, { dayBudget: value }, 'person:me'))
  await set(dayBudget)
  await database.knex('agent_runs').update({ status: 'done' })
  const run = await start(first, 1)
  if ('summary' in run) throw new Error(run.summary)
  expect(run.tokens_reserved).toBe(5_000)
  await database.knex('agent_runs').where({ id: run.id }).update({ tokens_in: 5_000 })
  expect(await watchReservation(deps, first, run).isOver(5_000)).toBe(true)
  await expect(start(second, 1)).rejects.toThrow(/the day's budget of \d+ tokens is used up/)
  expect(await budgetHold(deps, second)).toMatch(
    /goes on at 20\d\d-.*, or when dayBudget is raised/,
  )
  await set(dayBudget + 100_000)
  expect(await budgetHold(deps, second)).toBeUndefined()
  await set(0)
})

test('a budget of the day that is set while a run goes on without a limit holds for it too', async () => {
  const [first] = (await goalWith(0)) as [StageKey]
  await database.knex('agent_runs').update({ status: 'done' })
  const run = await start(first, 1)
  if ('summary' in run) throw new Error(run.summary)
  expect(run.tokens_reserved).toBe(0)
  const budget = watchReservation(deps, first, run)
  const uses = async (tokens: number) => {
    await database.knex('agent_runs').where({ id: run.id }).update({ tokens_in: tokens })
    return budget.isOver(tokens)
  }
  expect(await uses(5_000)).toBe(false)
  const spent = await database.knex('agent_runs').sum({ n: 'tokens_in' }).first()
  const set = (dayBudget: number) =>
    database.change((tx) => writeSettings(tx, { dayBudget }, 'person:me'))
  await set(Number(spent?.['n']) + 1_000)
  expect(await uses(5_500)).toBe(false)
  expect((await readRun(database.knex, run.id)).tokens_reserved).toBe(6_000)
  expect(await uses(6_000)).toBe(true)
  expect((await readRun(database.knex, run.id)).budget_stop).toBe('day')
  await set(0)
})

test('a budget of the day that is lowered below what was used holds from the next response on, whatever part a run had of it', async () => {
  const [first] = (await goalWith(0)) as [StageKey]
  await database.knex('agent_runs').update({ status: 'done' })
  const spent = await database.knex('agent_runs').sum({ n: 'tokens_in' }).first()
  const set = (dayBudget: number) =>
    database.change((tx) => writeSettings(tx, { dayBudget }, 'person:me'))
  await set(Number(spent?.['n']) + 4_000_000)
  const run = await start(first, 1)
  if ('summary' in run) throw new Error(run.summary)
  expect(run.tokens_reserved).toBe(1_000_000)
  const budget = watchReservation(deps, first, run)
  const uses = async (tokens: number) => {
    await database.knex('agent_runs').where({ id: run.id }).update({ tokens_in: tokens })
    return budget.isOver(tokens)
  }
  expect(await uses(50_000)).toBe(false)
  await set(Number(spent?.['n']) + 60_000)
  expect(await uses(55_000)).toBe(false)
  expect(await uses(65_000)).toBe(true)
  expect((await readRun(database.knex, run.id)).budget_stop).toBe('day')
  await set(0)
})

test('a run that goes on over midnight is limited by the day’s budget with what it uses after midnight', async () => {
  const [night, other] = (await goalWith(0)) as [StageKey, StageKey]
  await database.knex('agent_runs').update({ status: 'done' })
  const spent = await database.knex('agent_runs').sum({ n: 'tokens_in' }).first()
  const dayBudget = Number(spent?.['n']) + 8_000
  await database.change((tx) => writeSettings(tx, { dayBudget }, 'person:me'))
  const run = await start(night, 1)
  if ('summary' in run) throw new Error(run.summary)
  const midnight = dayOf(new Date()).from.getTime()
  const at = (minutes: number) => new Date(midnight + minutes * 60_000).toISOString()
  const begun = { created_at: at(-10), tokens_reserved: 98_000 }
  await database.knex('agent_runs').where({ id: run.id }).update(begun)
  const says = (seq: number, minutes: number, input: number) => {
    const usage = { input, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0 }
    return storeEvents(database, run.id, [{ type: 'usage', usage, seq, at: at(minutes) }])
  }
  await says(1, -5, 90_000)
  expect(await budgetHold(deps, other)).toContain('set aside for runs at work')
  await says(2, 5, 98_000)
  const budget = watchReservation(deps, night, await readRun(database.knex, run.id))
  expect(await budget.isOver(98_000)).toBe(true)
  expect(await budgetHold(deps, other)).toMatch(/the day's budget of \d+ tokens is used up/)
  await database.change((tx) => writeSettings(tx, { dayBudget: 0 }, 'person:me'))
})

test('a worker that starts and looks at the schema does not wait for a reservation', async () => {
  await database.change(async (tx) => {
    await lockBudgets(tx)
    await migrate(own.url)
  })
}, 10_000)

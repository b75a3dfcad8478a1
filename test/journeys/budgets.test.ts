import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Reply } from '../../contracts/api.ts'
import { type Installation, startInstallation } from '../support/installation.ts'
import { until } from '../support/until.ts'

let at: Installation
beforeAll(async () => {
  at = await startInstallation()
  await at.call('PATCH', '/api/settings', { maxConcurrent: 20, maxPerGoal: 10 })
})
afterAll(() => at.close())

type Goal = Reply<'getGoal'>
const asked = (goal: Goal) =>
  goal.reviews.filter(({ kind, status }) => kind === 'budget' && status === 'pending')
const poolOf = async () => (await at.call<Reply<'getPool'>>('GET', '/api/pool')).body

test('parallel tasks share the budget of their goal: one of them asks, the others wait and say so, a grant lets all go on', async () => {
  const { id } = await at.project({ 'README.md': '# x\n' })
  // each implement run reports 4000 tokens and goes on; together they may use 10000
  const script = '[demo:all=instant] [demo:tasks=3] [demo:implement=tokens:4000,slow:1]'
  const goal = await at.goal(id, `Share ${script}`, { skipSpecReview: true, goalBudget: 10_000 })
  expect(goal.goalBudget).toBe(10_000)
  const waiting = async () => {
    const { waiting: line } = await poolOf()
    return line.filter(({ reason }) =>
      /used up its budget: goes on when R-\d+ is decided/.test(reason),
    )
  }
  const stopped = await at.until(goal.id, (g) => asked(g).length > 0 && g.working.length === 0)
  await until(async () => (await waiting()).length > 0, { ms: 60_000, what: 'others that wait' })
  expect(asked(stopped).map(({ title }) => title)).toEqual([`More tokens for ${goal.title}?`])
  const runs = await at.database.knex('agent_runs').where({ goal_id: goal.id })
  const used = runs.reduce((sum, run) => sum + run.tokens_in + run.tokens_out, 0)
  // one response each, of those that were at work when it ended
  const last = runs.filter((run) => run.stage === 'implement').length * 4_200
  expect(used).toBeGreaterThanOrEqual(10_000)
  expect(used).toBeLessThanOrEqual(10_000 + last)
  const { body: review } = await at.call<Reply<'getReview'>>(
    'GET',
    `/api/reviews/${asked(stopped)[0]?.id}`,
  )
  expect(review.reason).toMatch(/^Goal G-\d+ used [\d.]+k of its budget of 10.0k tokens\. /)
  const done = await at.approveAll(goal.id)
  expect(done.status).toBe('completed')
  expect(done.goalBudget).toBeGreaterThanOrEqual(20_000)
})

test('a stage of the goal as a whole asks too, and rejecting ends the goal', async () => {
  const { id } = await at.project({ 'README.md': '# x\n' })
  const more = { skipSpecReview: true, goalBudget: 10 }
  const goal = await at.goal(id, 'Small [demo:all=instant]', more)
  const stopped = await at.until(goal.id, (g) => asked(g).length > 0)
  // the spec's own agent, if its tokens are told a moment before its answer; else one that comes after it
  expect(stopped.stages.filter(({ status }) => status === 'review')).toMatchObject([
    { stage: expect.stringMatching(/^(test_|security_)?spec$/) },
  ])
  await at.decide(goal.id, 'budget')
  await at.until(goal.id, (g) => g.goalBudget > 10 && asked(g).length > 0)
  await at.decide(goal.id, 'budget', { decision: 'reject', comment: 'enough' })
  const ended = await at.until(goal.id, (g) => g.status === 'cancelled')
  expect(ended.reason).toContain('enough')
})

test('when the budget of the day is used up runs wait, which says why and until when; raised, they go on', async () => {
  const { id } = await at.project({ 'README.md': '# x\n' })
  const { body } = await at.call<Reply<'getLedger'>>('GET', '/api/ledger?by=day')
  await at.call('PATCH', '/api/settings', { dayBudget: body.total.total })
  const goal = await at.goal(id, 'Later [demo:all=instant]', { skipSpecReview: true })
  const held = await at.until(goal.id, (g) =>
    g.stages.some(({ status, reason }) => status === 'waiting' && reason !== null),
  )
  const why =
    /the day's budget of \d+ tokens is used up \(\d+\): goes on at 20.* UTC, or when dayBudget is raised/
  expect(held.stages[0]?.reason).toMatch(why)
  expect((await poolOf()).waiting).toMatchObject([
    { goalId: goal.id, reason: expect.stringMatching(why) },
  ])
  expect(held.usage.total).toBe(0)
  await at.call('PATCH', '/api/settings', { dayBudget: 0 })
  expect((await at.approveAll(goal.id)).status).toBe('completed')
})

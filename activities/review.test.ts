import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { decideBody, MOST_BODY_BYTES } from '../contracts/api.ts'
import { STAGE_OUTPUTS } from '../contracts/outputs.ts'
import { checklistItem } from '../contracts/schemas.ts'
import { connect, type Database } from '../db/connect.ts'
import { decideReview } from '../db/decisions.ts'
import { createFixture, type Fixture } from '../git/fixture.ts'
import { createTestDatabase } from '../test/support/database.ts'
import type { ActivityDeps } from './deps.ts'
import { createReviewActivities } from './review.ts'

let f: Fixture
let database: Database
let drop: () => Promise<void>
beforeEach(async () => {
  f = createFixture()
  const own = await createTestDatabase()
  database = connect(own.url)
  drop = own.drop
})
afterEach(async () => {
  await database.close()
  await drop()
  await f.remove()
})

async function insertGoal(): Promise<{ projectId: string; goalId: string }> {
  const [project] = await database
    .knex('projects')
    .insert({ name: 'p', path: f.repo, default_branch: 'main' })
    .returning('id')
  const goal = { project_id: project.id, title: 'g', description: 'g', target_branch: 'main' }
  const profile = JSON.stringify({ tokenBudget: 10 })
  const [row] = await database
    .knex('goals')
    .insert({ profile, ...goal })
    .returning('id')
  return { projectId: project.id, goalId: row.id }
}

test('a review that was stored just before a kill has its commit kept when it is opened again', async () => {
  const head = f.commit({ 'a.txt': 'one\n' })
  const { knex } = database
  const { projectId, goalId } = await insertGoal()
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const [review] = await knex('reviews')
    .insert({
      ...{ goal_id: goalId, kind: 'merge', attempt: 1, workflow_id: `goal/${goalId}`, title: 't' },
      ...{ reason: 'r', hash: 'h', tier: 'block', risk: 'low', head },
    })
    .returning('id')

  const { openReview } = createReviewActivities({ database, git: f.git } as ActivityDeps)
  const input = { goalId, taskId: null, kind: 'merge', attempt: 1, stage: 'merge' } as const
  const opened = await openReview({ ...input, reason: 'r' })

  expect(opened).toEqual({ reviewId: review.id, decided: false })
  const hub = join(f.home, 'hubs', projectId, 'clean.git')
  expect(f.sh(['--git-dir', hub, 'rev-parse', `refs/dispatch/review/${review.id}`])).toBe(head)
})

test.each([
  ['task', 'approve', 'approved'],
  ['task', 'request_changes', 'active'],
  ['budget', 'approve', 'active'],
] as const)(
  'once a %s review is decided (%s) its task is %s and does not wait any more',
  async (kind, decision, status) => {
    const { knex } = database
    const { goalId } = await insertGoal()
    const [task] = await knex('tasks')
      .insert({
        ...{ goal_id: goalId, key: 'a', title: 't', description: 'd', role: 'implement' },
        status: 'review',
      })
      .returning('id')
    const [review] = await knex('reviews')
      .insert({
        ...{ goal_id: goalId, task_id: task.id, kind, attempt: 1, workflow_id: 'w', title: 't' },
        ...{ reason: 'r', hash: 'h', tier: 'block', risk: 'low', status: 'approved', decision },
      })
      .returning('id')
    const { settleReview } = createReviewActivities({ database, git: f.git } as ActivityDeps)
    for (const time of [1, 2]) {
      await settleReview({ reviewId: review.id })
      expect(await knex('tasks').where({ id: task.id }).first('status'), `${time}`).toEqual({
        status,
      })
    }
    const told = await knex('events').where({ type: 'task.status' })
    expect(told).toMatchObject([{ data: { taskId: task.id, status } }])
  },
)

const ID = 100
const REF = 180
/** So many of the longest names that an agent may give. */
const names = (count: number, length: number, prefix: string) =>
  Array.from({ length: count }, (_, n) => `${prefix}${n}-`.padEnd(length, '長'))
const items = (count: number, prefix: string, length = ID) =>
  names(count, length, prefix).map((id) => ({ id, text: 't' }))
const verdicts = (prefix: string, length = REF) => ({
  items: names(500, length, prefix).map((ref) => ({ ref, result: 'warn', evidence: 'e' })),
})
const SPECS = {
  spec: {
    ...{ title: 't', summary: 's', requirements: items(200, 'r'), acceptance: items(200, 'a') },
    tasks: [{ key: 'a', title: 't', description: 'd', role: 'implement', dependsOn: [] }],
  },
  test_spec: {
    cases: items(500, 't').map(({ id, text }) => ({
      ...{ id, title: text, requirement: 'r', steps: text, expected: text },
    })),
  },
  security_spec: {
    items: items(200, 's').map(({ id, text }) => ({
      ...{ id, owasp: text, risk: text, control: text, check: text },
    })),
  },
} as const

test('a task can be approved whatever its agents call things, and however many', async () => {
  for (const [stage, content] of Object.entries(SPECS))
    expect(STAGE_OUTPUTS[stage as keyof typeof SPECS].safeParse(content).error).toBeUndefined()
  expect(STAGE_OUTPUTS.verify.safeParse(verdicts('v')).success).toBe(true)
  expect(STAGE_OUTPUTS.verify.safeParse(verdicts('v', REF + 1)).success).toBe(false)
  const more = { ...SPECS.spec, requirements: items(1, 'r', ID + 1) }
  expect(STAGE_OUTPUTS.spec.safeParse(more).success).toBe(false)

  const { knex } = database
  const { projectId, goalId } = await insertGoal()
  const base = f.commit({ 'a.txt': 'one\n' })
  const head = f.commit({ 'a.txt': 'two\n' })
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  for (const [role, content] of [
    ['spec', SPECS.spec],
    ['test', SPECS.test_spec],
    // as they are kept where another spec has the same ids
    [
      'security',
      { items: SPECS.security_spec.items.map((one) => ({ ...one, id: `sec:${one.id}` })) },
    ],
  ] as const)
    await knex('specs').insert({
      ...{
        goal_id: goalId,
        role,
        version: 1,
        status: 'approved',
        hash: 'h',
        created_by: 'agent:a',
      },
      content: JSON.stringify(content),
    })
  const task = { goal_id: goalId, key: 'a', title: 't', description: 'd', role: 'implement' }
  const [{ id: taskId }] = await knex('tasks')
    .insert({ ...task, base, head })
    .returning('id')
  const check = { command: 'true', ok: true, exitCode: 0, seconds: 1, output: '' }
  await knex('stage_attempts').insert({
    ...{ goal_id: goalId, task_id: taskId, stage: 'verify', attempt: 1, status: 'passed' },
    output: JSON.stringify(verdicts('v')),
    checks: JSON.stringify(names(20, 60, 'c').map((name) => ({ ...check, name }))),
    second_opinion: JSON.stringify({
      ...{ adapter: 'gemini', model: null, status: 'given', reason: null, ...verdicts('o') },
    }),
  })
  const { openReview } = createReviewActivities({ database, git: f.git } as ActivityDeps)
  const input = { goalId, taskId, kind: 'task', attempt: 1, stage: 'review' } as const
  const { reviewId } = await openReview({ ...input, reason: '' })

  const { checklist, hash } = await knex('reviews').where({ id: reviewId }).first()
  expect(checklist).toHaveLength(1100 + 500 + 500 + 20)
  expect(z.array(checklistItem).safeParse(checklist).error).toBeUndefined()
  const checked = checklist.map(({ id }: { id: string }) => id)
  const body = { decision: 'approve', hash, checklist: checked, comment: '長'.repeat(20_000) }
  expect(Buffer.byteLength(JSON.stringify(body))).toBeLessThan(MOST_BODY_BYTES)
  const decision = decideBody.parse(body)
  const actor = { reviewId, actor: 'person:sam' }
  expect(
    await database.change((tx, emit) => decideReview(tx, emit, { ...decision, ...actor })),
  ).toBeUndefined()
})

test('a task without a limit gets none when somebody else asked for the goal meanwhile', async () => {
  const { knex } = database
  const { goalId } = await insertGoal()
  const task = { goal_id: goalId, key: 'a', title: 't', description: 'd', role: 'implement' }
  const [{ id: taskId }] = await knex('tasks').insert(task).returning('id')
  await knex('goals').update({ token_budget: 10, budget_asked_by: 'another/implement/1' })
  const { openReview, settleReview } = createReviewActivities({ database } as ActivityDeps)
  const input = { goalId, taskId, kind: 'budget', attempt: 1, stage: 'implement' } as const
  const { reviewId } = await openReview({ ...input, reason: 'It used its budget.' })
  await knex('reviews').update({ status: 'approved', decision: 'approve' })
  await settleReview({ reviewId })
  expect(await knex('tasks').first('token_budget')).toEqual({ token_budget: 0 })
})

test.each(['goal', 'task'] as const)(
  'more tokens for a %s are those that the review offered, whatever was used since',
  async (scope) => {
    const { knex } = database
    const { goalId } = await insertGoal()
    const task = { goal_id: goalId, key: 'a', title: 't', description: 'd', role: 'implement' }
    const [{ id: taskId }] = await knex('tasks')
      .insert({ ...task, token_budget: 10 })
      .returning('id')
    const asker = scope === 'goal' ? `${taskId}/implement/1` : null
    await knex('goals').update({ token_budget: 10, budget_asked_by: asker })
    const run = {
      goal_id: goalId,
      task_id: taskId,
      stage: 'implement',
      attempt: 1,
      status: 'running',
    }
    await knex('agent_runs').insert({
      ...{ ...run, segment: 1, purpose: 'start', adapter: 'demo', tokens_in: 6000 },
    })
    const { openReview, settleReview } = createReviewActivities({ database } as ActivityDeps)
    const input = { goalId, taskId, kind: 'budget', attempt: 1, stage: 'implement' } as const
    const { reviewId } = await openReview({ ...input, reason: 'It used its budget.' })
    const { reason } = await knex('reviews').first('reason')
    expect(reason).toContain(
      'It used its budget. Its work is kept; approve to let it use 12.0k in all.',
    )
    await knex('agent_runs').update({ tokens_in: 9000 })
    await knex('reviews').update({ status: 'approved', decision: 'approve' })
    for (const _time of [1, 2]) await settleReview({ reviewId })
    const { token_budget } = await knex(`${scope}s`).first('token_budget')
    expect(token_budget).toBe(12_000)
  },
)

import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { connect, type Database } from '../db/connect.ts'
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

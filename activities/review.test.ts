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

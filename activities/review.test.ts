import { randomUUID } from 'node:crypto'
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

test('a review that was stored just before a kill has its commit kept when it is opened again', async () => {
  const head = f.commit({ 'a.txt': 'one\n' })
  const { knex } = database
  const [project] = await knex('projects')
    .insert({ name: 'p', path: f.repo, default_branch: 'main' })
    .returning('id')
  await f.git.importTarget({ projectId: project.id, repoPath: f.repo, target: 'main' })
  const goalId = randomUUID()
  const goal = { project_id: project.id, title: 'g', description: 'g', target_branch: 'main' }
  await knex('goals').insert({ id: goalId, profile: '{}', ...goal })
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
  const hub = join(f.home, 'hubs', project.id, 'clean.git')
  expect(f.sh(['--git-dir', hub, 'rev-parse', `refs/dispatch/review/${review.id}`])).toBe(head)
})

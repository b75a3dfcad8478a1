import { asyncLocalStorage, type Context } from '@temporalio/activity'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AGENT_STAGES } from '../contracts/stages.ts'
import { connect, type Database } from '../db/connect.ts'
import { loadFacts } from '../db/facts.ts'
import { openStage, type StageKey } from '../db/stages.ts'
import { createFixture, type Fixture } from '../git/fixture.ts'
import { createTestDatabase } from '../test/support/database.ts'
import { checkWork } from './checks.ts'
import { conclude } from './conclude.ts'
import type { ActivityDeps } from './deps.ts'
import { createLifecycleActivities } from './lifecycle.ts'
import { createMergeActivities } from './merge.ts'
import { createReviewActivities } from './review.ts'
import { verifiedChecks } from './verified-checks.ts'
import { openWorkspace } from './workspace.ts'

let f: Fixture
let database: Database
let drop: () => Promise<void>
let deps: ActivityDeps
let goalId: string
let taskId: string
/** Commands that were run. */
let commands: string[]
/** How they end. */
let exitCode: number

beforeEach(async () => {
  f = createFixture()
  f.commit({ 'package.json': JSON.stringify({ scripts: { test: 'node t.js', lint: 'l' } }) })
  const own = await createTestDatabase()
  database = connect(own.url)
  drop = own.drop
  commands = []
  exitCode = 0
  const check = async ({ command }: { command: string }) => {
    commands.push(command)
    return { exitCode, tookTooLong: false, output: 'as it was said' }
  }
  const environment = { PATH: '/usr/bin:/bin' }
  const log = () => undefined
  deps = { database, git: f.git, runner: { check }, environment, log } as unknown as ActivityDeps
  const [project] = await database
    .knex('projects')
    .insert({ name: 'p', path: f.repo, default_branch: 'main', trusted: true })
    .returning('id')
  const stages = Object.fromEntries(AGENT_STAGES.map((stage) => [stage, {}]))
  const [goal] = await database
    .knex('goals')
    .insert({
      ...{ project_id: project.id, title: 'g', description: 'g', target_branch: 'main' },
      profile: JSON.stringify({ stages }),
    })
    .returning('id')
  goalId = goal.id
  await createLifecycleActivities(deps, async () => false).startGoal({ goalId })
  const [task] = await database
    .knex('tasks')
    .insert({ goal_id: goalId, key: 'a', title: 'a', description: 'a', role: 'implement' })
    .returning('id')
  taskId = task.id
})
afterEach(async () => {
  await database.close()
  await drop()
  await f.remove()
})

const trust = (trusted: boolean) => database.knex('projects').update({ trusted })

/** One stage of the task, or of the goal, whose agent leaves these files and has nothing to object. */
async function work(stage: StageKey['stage'], files: Record<string, string> = {}) {
  const key: StageKey = { goalId, taskId: stage === 'audit' ? null : taskId, stage, attempt: 1 }
  await database.change((tx) => openStage(tx, key, null))
  const facts = await loadFacts(database.knex, goalId, key.taskId)
  const workspace = await openWorkspace(deps, facts, key)
  for (const [path, text] of Object.entries(files)) f.write(path, text, workspace.path)
  const context = { cancellationSignal: new AbortController().signal } as unknown as Context
  const checks = await asyncLocalStorage.run(context, async () => {
    if (stage === 'implement') return undefined
    return (await verifiedChecks(deps, facts, workspace)) ?? checkWork(deps, facts, workspace)
  })
  const output = { summary: 's', files: [], deviations: [], items: [], findings: [] }
  return conclude(deps, { key, facts, workspace, checks, output, adapter: 'demo' })
}

async function review() {
  const at = { goalId, taskId, kind: 'task', attempt: 1, stage: 'review', reason: '' } as const
  const { reviewId } = await createReviewActivities(deps).openReview(at)
  return database.knex('reviews').where({ id: reviewId }).first()
}

const DOCS = { 'README.md': 'How to use it.\n' }

test('documentation whose checks passed goes on by itself', async () => {
  await work('implement', DOCS)
  await work('verify')
  expect(await review()).toMatchObject({ tier: 'auto', status: 'approved' })
  expect(commands).toEqual(['npm run --silent lint', 'npm run --silent test'])
})

test('a check that fails sends the work back, whatever its agent says', async () => {
  await work('implement', DOCS)
  exitCode = 1
  const summary = expect.stringMatching(
    /^Verify found 2 problems\.\nlint \(npm run --silent lint\) failed with exit code 1:\nas it was said\ntest /,
  )
  expect(await work('verify')).toEqual({ outcome: 'findings', summary })
})

test('work of a project that is not trusted any more runs no check, and then a person decides', async () => {
  await work('implement', DOCS)
  await trust(false)
  expect(await work('verify')).toEqual({ outcome: 'passed' })
  expect(commands).toEqual([])
  const { tier, reason, checklist } = await review()
  expect(tier).toBe('block')
  expect(reason).toContain('the check test was not run: the project is not trusted')
  expect(checklist.at(-1)).toMatchObject({
    ...{ id: 'check:test', result: 'unchecked' },
    evidence: 'was not run: the project is not trusted',
  })
  // what nobody ran is no evidence, once it may be run
  await database.knex('reviews').update({ status: 'approved', decision: 'approve' })
  await createMergeActivities(deps).integrateTask({ goalId, taskId, attempt: 1 })
  await trust(true)
  expect(await work('audit')).toEqual({ outcome: 'passed' })
  expect(commands).toEqual(['npm run --silent lint', 'npm run --silent test'])
})

test('a whole whose checks were not run for want of trust is not merged without a person', async () => {
  await work('implement', DOCS)
  await trust(false)
  expect(await work('audit')).toMatchObject({
    outcome: 'findings',
    summary: expect.stringContaining('test was not run: the project is not trusted'),
  })
})

test('a check that the work takes away is said to be missing, and is not held against its agent', async () => {
  await work('implement', { 'package.json': JSON.stringify({ scripts: { lint: 'l' } }) })
  expect(await work('verify')).toEqual({ outcome: 'passed' })
  expect(commands).toEqual(['npm run --silent lint'])
  const { reason, checklist } = await review()
  expect(reason).toContain('the check test was not run: package.json does not name it any more')
  expect(checklist.at(-1)).toMatchObject({ id: 'check:test', result: 'unchecked' })
})

import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AGENT_STAGES } from '../contracts/stages.ts'
import { connect, type Database } from '../db/connect.ts'
import { loadFacts } from '../db/facts.ts'
import { openStage, type StageKey } from '../db/stages.ts'
import { createFixture, type Fixture } from '../git/fixture.ts'
import { createTestDatabase } from '../test/support/database.ts'
import { conclude } from './conclude.ts'
import type { ActivityDeps } from './deps.ts'
import { createLifecycleActivities } from './lifecycle.ts'
import { createReviewActivities } from './review.ts'
import type { OpenReviewInput } from './types.ts'
import { openWorkspace, type Workspace } from './workspace.ts'

let f: Fixture
let database: Database
let drop: () => Promise<void>
let deps: ActivityDeps
let lifecycle: ReturnType<typeof createLifecycleActivities>
let goalId: string
beforeEach(async () => {
  f = createFixture()
  f.commit({ 'a.txt': 'one\n' })
  const own = await createTestDatabase()
  database = connect(own.url)
  drop = own.drop
  deps = { database, git: f.git, log: () => undefined } as unknown as ActivityDeps
  lifecycle = createLifecycleActivities(deps, async () => false)
  const [project] = await database
    .knex('projects')
    .insert({ name: 'p', path: f.repo, default_branch: 'main' })
    .returning('id')
  const [goal] = await database
    .knex('goals')
    .insert({
      ...{ project_id: project.id, title: 'g', description: 'g', target_branch: 'main' },
      profile: JSON.stringify({ stages: Object.fromEntries(AGENT_STAGES.map((s) => [s, {}])) }),
    })
    .returning('id')
  goalId = goal.id
})
afterEach(async () => {
  await database.close()
  await drop()
  await f.remove()
})

interface Begun {
  key: StageKey
  workspace: Workspace
  path: string
}

/** The goal has begun, and so has a task of this name. */
async function begin(name: string): Promise<Begun> {
  await lifecycle.startGoal({ goalId })
  const [task] = await database
    .knex('tasks')
    .insert({ goal_id: goalId, key: name, title: name, description: name, role: 'implement' })
    .returning('id')
  const key = { goalId, taskId: task.id, stage: 'implement', attempt: 1 } as const
  const workspace = await openWorkspace(deps, await loadFacts(database.knex, goalId, task.id), key)
  return { key, workspace, path: workspace.path }
}

/** Its agent has answered. */
async function answer({ key, workspace }: Begun, deviations: string[] = []) {
  await database.change((tx) => openStage(tx, key, null))
  const facts = await loadFacts(database.knex, goalId, key.taskId)
  const output = { summary: 's', files: [], deviations }
  return conclude(deps, { key, facts, workspace, checks: undefined, output, adapter: 'demo' })
}

/** git's strict check refuses this file in whatever commit it is. */
const HOSTILE = '[submodule "x"]\n\tpath = x\n\turl = -u./payload\n'

test('a commit that git refuses goes back to the agent with the reason, and the next one is taken', async () => {
  const task = await begin('a')
  f.write('.gitmodules', HOSTILE, task.path)
  f.write('b.txt', 'two\n', task.path)
  const refused = await answer(task)
  expect(refused).toMatchObject({ outcome: 'findings' })
  expect(JSON.stringify(refused)).toContain('disallowed submodule url')
  rmSync(join(task.path, '.gitmodules'))
  expect(await answer(task)).toMatchObject({ outcome: 'passed' })
  const { head } = await database.knex('tasks').where({ id: task.key.taskId }).first('head')
  expect(f.sh(['show', `${head}:b.txt`], task.path)).toBe('two')
})

test('git settings of the person that changed while an agent worked are told once, in the feed and in the review of its work', async () => {
  const task = await begin('a')
  f.write('.git/hooks/pre-commit', '#!/bin/sh\n')
  f.sh(['config', 'core.fsmonitor', './watch'])
  f.write('b.txt', 'work', task.path)
  await answer(task)
  const told = () =>
    database.knex('events').where({ type: 'system.notice' }).select('stream', 'data')
  const text =
    'The git settings of p changed: config, hooks/pre-commit in its .git. If it was not you, look at them before you use git there.'
  expect(await told()).toEqual([{ stream: `goal/${goalId}`, data: { level: 'warn', text } }])
  const { output } = await database
    .knex('stage_attempts')
    .where({ task_id: task.key.taskId })
    .first()
  expect(output.deviations).toEqual([
    'config in the .git of your repository changed while the agent worked',
    'hooks/pre-commit in the .git of your repository changed while the agent worked',
  ])
  await answer(await begin('b'))
  expect(await told()).toHaveLength(1)
})

test('a goal with work that git refuses can be cancelled, and says where that work is', async () => {
  const [bad, good] = [await begin('bad'), await begin('good')]
  f.write('.gitmodules', HOSTILE, bad.path)
  f.write('b.txt', 'two\n', good.path)
  await lifecycle.endGoal({ goalId, reason: 'enough' })
  const { status, reason } = await database.knex('goals').where({ id: goalId }).first()
  expect(status).toBe('cancelled')
  expect(reason).toContain(`${bad.path} (T-`)
  expect(existsSync(join(bad.path, '.gitmodules'))).toBe(true)
  expect(f.sh(['branch', '--list', 'dispatch/*', '--format=%(refname:short)'])).toBe(
    (await database.knex('tasks').where({ key: 'good' }).first('branch')).branch,
  )
})

test('a review shows every deviation of its task, also those that the agent did not tell of', async () => {
  const task = await begin('a')
  f.write('notes.md', 'two\n', task.path)
  f.sh(['config', 'core.fsmonitor', './payload'], task.path)
  await answer(task, ['one file more'])
  f.write('notes.md', 'three\n', task.path)
  await answer({ ...task, key: { ...task.key, stage: 'frontend' } })

  const review = { goalId, taskId: task.key.taskId, kind: 'task', attempt: 1, stage: 'review' }
  const { openReview } = createReviewActivities(deps)
  const { reviewId } = await openReview({ ...review, reason: '' } as OpenReviewInput)
  const { deviations, tier } = await database.knex('reviews').where({ id: reviewId }).first()
  expect(deviations).toEqual([
    'one file more',
    "changed config of the repository's own settings; it was put back",
  ])
  expect(tier).toBe('block')
})

test('items of different specs keep names of their own, so that none passes by the verdict of another', async () => {
  await lifecycle.startGoal({ goalId })
  const store = async (stage: 'spec' | 'test_spec' | 'security_spec', output: object) => {
    const key = { goalId, taskId: null, stage, attempt: 1 }
    await database.change((tx) => openStage(tx, key, null))
    const facts = await loadFacts(database.knex, goalId)
    const workspace = await openWorkspace(deps, facts, key)
    await conclude(deps, { key, facts, workspace, checks: undefined, output, adapter: 'demo' })
  }
  const items = [{ id: 'R1', text: 't' }]
  await store('spec', { title: 't', summary: 's', requirements: items, acceptance: [], tasks: [] })
  await store('test_spec', { cases: [{ id: 'R1' }, { id: 'T1' }] })
  await store('security_spec', { items: [{ id: 'R1' }, { id: 'T1' }, { id: 'S1' }] })
  const { testSpec, securitySpec } = await loadFacts(database.knex, goalId)
  expect(testSpec?.content.cases.map(({ id }) => id)).toEqual(['test:R1', 'T1'])
  expect(securitySpec?.content.items.map(({ id }) => id)).toEqual(['sec:R1', 'sec:T1', 'S1'])
})

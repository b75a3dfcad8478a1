import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { AGENT_STAGES } from '../contracts/stages.ts'
import { connect, type Database } from '../db/connect.ts'
import { decideReview } from '../db/decisions.ts'
import { loadFacts } from '../db/facts.ts'
import { recordTampering } from '../db/git-changes.ts'
import { cancelGoal } from '../db/goals.ts'
import { changeStage, openStage, type StageKey } from '../db/stages.ts'
import { canBeRefused, createFixture, type Fixture } from '../git/fixture.ts'
import { createTestDatabase } from '../test/support/database.ts'
import { conclude } from './conclude.ts'
import type { ActivityDeps } from './deps.ts'
import { lookAtGitSettings, watchGitSettings } from './git-settings.ts'
import { createLifecycleActivities } from './lifecycle.ts'
import { createMergeActivities } from './merge.ts'
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
  f = createFixture(undefined, (id, files) => recordTampering(database)(id, files))
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
  return beginStage({ goalId, taskId: task.id, stage: 'implement', attempt: 1 })
}

async function beginStage(key: StageKey): Promise<Begun> {
  const row = await database.change((tx) => openStage(tx, key, null))
  const facts = await loadFacts(database.knex, goalId, key.taskId)
  const workspace = await openWorkspace(deps, facts, key)
  await watchGitSettings(deps, facts.project, row)
  return { key, workspace, path: workspace.path }
}

/** Its agent has answered. */
async function answer({ key, workspace }: Begun, deviations: string[] = []) {
  const facts = await loadFacts(database.knex, goalId, key.taskId)
  const output = { summary: 's', files: [], deviations, findings: [] }
  return conclude(deps, { key, facts, workspace, checks: undefined, output, adapter: 'demo' })
}

/** The review of its work is opened. */
async function review({ key: { taskId, attempt } }: Begun) {
  const asked = { goalId, taskId, kind: 'task', attempt, stage: 'review', reason: '' }
  const { openReview } = createReviewActivities(deps)
  const { reviewId } = await openReview(asked as OpenReviewInput)
  const row = await database.knex('reviews').where({ id: reviewId }).first()
  return { deviations: row.deviations, tier: row.tier }
}

const notices = (): Promise<{ stream: string; data: object }[]> =>
  database.knex('events').where({ type: 'system.notice' }).select('stream', 'data')

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

test('a file in another encoding than its attributes name goes back to the agent with the reason', async () => {
  const text = Buffer.from('\ufeffone\n', 'utf16le')
  f.commit({ '.gitattributes': '*.rc text working-tree-encoding=UTF-16\n', 'a.rc': text })
  const task = await begin('a')
  f.write('a.rc', 'two\n', task.path)
  const summary = expect.stringContaining("BOM is required in 'a.rc' if encoded as UTF-16")
  expect(await answer(task)).toMatchObject({ outcome: 'findings', summary })
  f.write('a.rc', Buffer.from('\ufefftwo\n', 'utf16le'), task.path)
  expect(await answer(task)).toMatchObject({ outcome: 'passed' })
})

const HUB =
  "config of the repository's own settings was changed while this was worked on; it was put back"
const YOURS = 'in the .git of your repository changed while this was worked on'

test('git settings of the person that changed while agents worked are told once, in the feed and in the review of all work that went on', async () => {
  const [a, b] = [await begin('a'), await begin('b')]
  f.write('.git/hooks/pre-commit', '#!/bin/sh\n')
  f.sh(['config', 'core.fsmonitor', './watch'])
  f.write('a.md', 'work', a.path)
  f.write('b.md', 'work', b.path)
  await answer(b)
  const later = await begin('later')
  f.write('c.md', 'work', later.path)
  await answer(later)
  await answer(a)
  const text =
    'The git settings of p changed: config core.fsmonitor, hooks/pre-commit in its .git. If it was not you, look at them before you use git there.'
  expect(await notices()).toEqual([{ stream: `goal/${goalId}`, data: { level: 'warn', text } }])
  const deviations = [`config core.fsmonitor ${YOURS}`, `hooks/pre-commit ${YOURS}`]
  expect(await review(a)).toEqual({ deviations, tier: 'block' })
  expect(await review(b)).toEqual({ deviations, tier: 'block' })
  expect(await review(later)).toEqual({ deviations: [], tier: 'auto' })
})

test.each([
  ['nothing else happens', async () => undefined],
  ['other work begins', () => begin('b')],
  [
    'the worker is killed after the commit',
    ({ path }: Begun, projectId: string) =>
      f.git.commitAll({ projectId, worktreePath: path, message: 'm', trailers: {} }),
  ],
])(
  'what an agent changed in its hub is in the review of its work when %s',
  async (_, meanwhile) => {
    const a = await begin('a')
    f.write('a.md', 'work', a.path)
    f.sh(['config', 'core.fsmonitor', './payload'], a.path)
    const { id } = await database.knex('projects').first('id')
    await meanwhile(a, id)
    await answer(a)
    expect(await review(a)).toEqual({ deviations: [HUB], tier: 'block' })
    const text =
      "An agent changed the settings of Dispatch's own copy of p: config. They were put back."
    expect(await notices()).toEqual([{ stream: `goal/${goalId}`, data: { level: 'warn', text } }])
  },
)

test('the work of an agent that deleted the hub of its worktree is reviewed, and what may be lost is told', async () => {
  const a = await begin('a')
  f.write('a.md', 'work', a.path)
  const hub = f.sh(['rev-parse', '--path-format=absolute', '--git-common-dir'], a.path)
  rmSync(hub, { recursive: true })
  await answer(a)
  expect(await review(a)).toMatchObject({ tier: 'block' })
  const text = expect.stringMatching(
    /HEAD.*objects.*refs.*What was published is there.* is lost\.$/,
  )
  expect(await notices()).toEqual([{ stream: `goal/${goalId}`, data: { level: 'warn', text } }])
})

test('git settings that change between the review of the spec and the first task ask a person before the merge', async () => {
  await lifecycle.startGoal({ goalId })
  const specs = await beginStage({ goalId, taskId: null, stage: 'test_spec', attempt: 1 })
  f.write('.git/hooks/pre-commit', '#!/bin/sh\n')
  const facts = await loadFacts(database.knex, goalId)
  const output = { cases: [] }
  await conclude(deps, { ...specs, facts, checks: undefined, output, adapter: 'demo' })
  const task = await begin('a')
  f.write('a.md', 'work', task.path)
  await answer(task)
  expect(await review(task)).toEqual({ deviations: [], tier: 'auto' })
  f.write('.git/hooks/post-commit', '#!/bin/sh\n') // no agent of the goal is at work
  const audit = await beginStage({ goalId, taskId: null, stage: 'audit', attempt: 1 })
  expect(await answer(audit)).toEqual({
    outcome: 'findings',
    summary: `The audit found 1 grave finding: high: hooks/pre-commit ${YOURS}`,
  })
})

test('git settings that change while the whole is audited ask a person before the merge', async () => {
  await lifecycle.startGoal({ goalId })
  const audit = await beginStage({ goalId, taskId: null, stage: 'audit', attempt: 1 })
  f.sh(['config', 'core.fsmonitor', './payload'], audit.path)
  // another worktree is made, which puts the hub back
  await beginStage({ goalId, taskId: null, stage: 'spec', attempt: 1 })
  expect(await answer(audit)).toEqual({
    outcome: 'findings',
    summary: `The audit found 1 grave finding: high: ${HUB}`,
  })
  f.write('.git/hooks/pre-commit', '#!/bin/sh\n')
  expect(await answer(audit)).toEqual({
    outcome: 'findings',
    summary: `The audit found 2 grave findings: high: ${HUB}; high: hooks/pre-commit ${YOURS}`,
  })
})

test('nobody waits for a slow git that looks at the settings, and what is seen twice meanwhile is told once', async () => {
  await begin('a')
  f.sh(['config', 'core.fsmonitor', './watch'])
  const project = await database.knex('projects').first()
  const snapshotConfig = async (path: string) => {
    const seen = await f.git.snapshotConfig(path)
    await database.change(async (tx) => {
      await tx.raw(`set local lock_timeout = '5s'`)
      await tx('projects').where({ id: project.id }).forShare().first('id') // as for a new goal
    })
    await lookAtGitSettings(deps, project)
    return seen
  }
  await lookAtGitSettings({ database, git: { ...f.git, snapshotConfig } }, project)
  expect(await notices()).toHaveLength(1)
})

test('who changed nothing leaves the person with what is possible then: there is no review to ask for changes in', async () => {
  const reason =
    'The agent ended without changing anything. Read its transcript, then retry, or cancel the goal.'
  expect(await answer(await begin('a'))).toEqual({ outcome: 'failed', reason })
})

test('what only the person excludes is named where it is missing, and once it is there no more', async () => {
  f.write('.git/info/exclude', '*.sql\n')
  const task = await begin('a')
  f.write('migrations/001.sql', 'create table x();', task.path)
  const names =
    "Not in the commit, because your own excludes (.git/info/exclude or your global gitignore) name them: migrations/001.sql. A line such as !name in the project's .gitignore takes a file in."
  expect(await answer(task)).toMatchObject({
    ...{ outcome: 'failed', reason: expect.stringContaining(names) },
  })
  f.write('a.md', 'work', task.path)
  await answer(task)
  expect(await review(task)).toEqual({ deviations: [names], tier: 'block' })
  f.write('.gitignore', '!*.sql\n', task.path)
  const second = await beginStage({ ...task.key, attempt: 2 })
  await answer(second)
  expect((await review(second)).deviations).toEqual([])
})

test('a repository that the agent made in its folder is named to who reviews', async () => {
  const task = await begin('a')
  f.write('a.md', 'work', task.path)
  f.write('web/index.ts', 'work', task.path)
  f.sh(['init', '-q'], join(task.path, 'web'))
  await answer(task)
  const names =
    'Not in the commit, because they are git repositories of their own: web/. Without the .git in such a folder (and, where the folder is committed, after git rm --cached) its files are taken in.'
  expect(await review(task)).toEqual({ deviations: [names], tier: 'block' })
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

test('a worktree that cannot be given back keeps no answer from counting, no goal from ending and no work from going on', async () => {
  const task = await begin('a')
  f.write('a.md', 'work', task.path)
  // a repository of its own, that git refuses when it is saved
  f.write('web/.gitmodules', HOSTILE, task.path)
  f.sh(['init', '-q'], join(task.path, 'web'))
  await answer(task)
  const verify = await beginStage({ ...task.key, stage: 'verify' })
  f.write('.gitmodules', HOSTILE, verify.path)
  const facts = await loadFacts(database.knex, goalId, task.key.taskId)
  const found = { ...verify, facts, checks: undefined, adapter: 'demo' }
  const output = { items: [{ ref: 'R1', result: 'pass', evidence: 'e' }] }
  expect(await conclude(deps, { ...found, output })).toEqual({ outcome: 'passed' })
  const { openReview } = createReviewActivities(deps)
  const asked = { goalId, taskId: task.key.taskId, attempt: 1, reason: '' } as const
  const { reviewId } = await openReview({ ...asked, kind: 'task', stage: 'review' })
  await database
    .knex('reviews')
    .where({ id: reviewId })
    .update({
      ...{ status: 'approved', decision: 'approve' },
    })
  const { integrateTask } = createMergeActivities(deps)
  const integrate = { goalId, taskId: task.key.taskId ?? '', attempt: 1 }
  expect(await integrateTask(integrate)).toEqual({ outcome: 'merged' })
  const text = expect.stringMatching(
    /^The worktree of T-\d+ is kept, for it could not be saved whole: Commit .* was refused: .*dispatch doctor/,
  )
  expect(await notices()).toEqual([{ stream: `goal/${goalId}`, data: { level: 'warn', text } }])
  expect(existsSync(join(task.path, 'web/.gitmodules'))).toBe(true)
  const audit = await beginStage({ goalId, taskId: null, stage: 'audit', attempt: 1 })
  f.write('.gitmodules', HOSTILE, audit.path)
  await lifecycle.endGoal({ goalId, reason: 'enough' })
  expect(await database.knex('goals').first('status')).toEqual({ status: 'cancelled' })
})

test('a goal can be cancelled though the worktree of a task is in use by another, and the repository of the next one is broken', async () => {
  const [lost, broken, good] = [await begin('lost'), await begin('broken'), await begin('good')]
  const { id: projectId } = await database.knex('projects').first('id')
  await f.git.releaseWorktree({ projectId, key: lost.workspace.key })
  const { branch } = await database.knex('tasks').where({ key: 'lost' }).first('branch')
  await f.git.claimWorktree({ projectId, key: 'other', branch, base: lost.workspace.base })
  f.write('b.txt', 'two\n', broken.path)
  f.sh(['add', 'b.txt'], broken.path)
  f.sh(['commit', '-q', '-m', 'by the agent'], broken.path)
  const id = f.sh(['rev-parse', ':b.txt'], broken.path)
  const objects = join(f.home, 'hubs', projectId, 'sandbox.git', 'objects')
  rmSync(join(objects, id.slice(0, 2), id.slice(2)))
  f.write('c.txt', 'three\n', good.path)
  await lifecycle.endGoal({ goalId, reason: 'enough' })
  const { status, reason } = await database.knex('goals').first('status', 'reason')
  expect(status).toBe('cancelled')
  expect(reason).toMatch(/T-\d+ could not be saved whole: \S+ is in use by other/)
  expect(reason).toContain(`${broken.path} (T-`)
  expect(existsSync(join(broken.path, 'b.txt'))).toBe(true)
  expect(reason).toContain((await database.knex('tasks').where({ key: 'good' }).first()).branch)
})

// only root can give a file to another user
test.skipIf(!canBeRefused || process.getuid?.() !== 0)(
  'a goal with a file that git cannot read can be cancelled, names it and keeps the rest',
  async () => {
    const { path } = await begin('a')
    for (const name of ['b.txt', 'secret.key']) f.write(name, 'work', path)
    chmodSync(join(path, 'secret.key'), 0o600)
    chownSync(join(path, 'secret.key'), 65534, 65534)
    const limited = { ...deps, git: f.unprivileged() }
    await createLifecycleActivities(limited, async () => false).endGoal({
      goalId,
      reason: 'enough',
    })
    expect(await database.knex('goals').first('status', 'reason')).toEqual({
      status: 'cancelled',
      reason: expect.stringMatching(
        /kept in \S+ \(T-\d+ could not be saved whole: Git cannot read secret\.key\. /,
      ),
    })
    expect(existsSync(join(path, 'secret.key'))).toBe(true)
    const { data } = await database.knex('events').where({ type: 'goal.salvaged' }).first('data')
    expect(f.sh(['--git-dir', data.repository, 'show', `${data.ref}:b.txt`])).toBe('work')
  },
)

test('commits that an agent left behind on its branch are told of, with where they are', async () => {
  const task = await begin('a')
  f.write('first.txt', 'precious', task.path)
  f.sh(['add', '-A'], task.path)
  f.sh(['commit', '-q', '-m', 'first'], task.path)
  f.sh(['checkout', '-q', '--detach', 'HEAD~1'], task.path)
  f.write('second.txt', 'x', task.path)
  expect(await answer(task)).toMatchObject({ outcome: 'passed' })
  const { data } = await database.knex('events').where({ type: 'goal.salvaged' }).first('data')
  expect(f.sh(['--git-dir', data.repository, 'show', `${data.ref}:first.txt`])).toBe('precious')
})

test('what was changed in a worktree after its review is saved and told before the work of others comes into it', async () => {
  const [a, b] = [await begin('a'), await begin('b')]
  for (const task of [a, b]) {
    f.write('notes.md', `of ${task.path}`, task.path)
    await answer(task)
    await review(task)
  }
  f.write('a.txt', 'precious', a.path)
  const { integrateTask } = createMergeActivities(deps)
  const integrate = ({ key: { taskId } }: Begun) =>
    integrateTask({ goalId, taskId: taskId ?? '', attempt: 1 })
  expect(await integrate(b)).toEqual({ outcome: 'merged' })
  expect(await integrate(a)).toMatchObject({ outcome: 'conflict' })
  const { data } = await database.knex('events').where({ type: 'goal.salvaged' }).first('data')
  expect(f.sh(['--git-dir', data.repository, 'show', `${data.ref}:a.txt`])).toBe('precious')
})

test('a review shows every deviation of its task, whichever agent told of it', async () => {
  const task = await begin('a')
  f.write('notes.md', 'two\n', task.path)
  await answer(task, ['one file more'])
  f.write('notes.md', 'three\n', task.path)
  await answer(await beginStage({ ...task.key, stage: 'frontend' }), ['another colour'])
  expect(await review(task)).toEqual({
    deviations: ['one file more', 'another colour'],
    tier: 'block',
  })
})

test('a review whose approved work could not be brought onto the goal’s branch at once is through when it is', async () => {
  const task = await begin('a')
  f.write('notes.md', 'two\n', task.path)
  await answer(task)
  await review(task)
  const at = { ...task.key, stage: 'review' } as const
  const broke = { status: 'needs_attention', reason: 'the disk is full', around: true } as const
  const runner = { reap: async () => undefined }
  const { report } = createLifecycleActivities({ ...deps, runner } as never, async () => false)
  const seen = () =>
    database.knex('stage_attempts').where({ stage: 'review' }).first('status', 'reason')
  await report({ ...at, ...broke })
  expect(await seen()).toEqual({ status: 'failed', reason: 'the disk is full' })
  const { integrateTask } = createMergeActivities(deps)
  const taskId = task.key.taskId as string
  expect(await integrateTask({ goalId, taskId, attempt: 1 })).toEqual({ outcome: 'merged' })
  expect(await seen()).toEqual({ status: 'passed', reason: null })
})

test('documentation of a goal with an item that nobody checked is looked at by a person', async () => {
  const task = await begin('a')
  const content = { title: 't', summary: 's', requirements: [{ id: 'R1', text: 't' }] }
  await database.knex('specs').insert({
    ...{ goal_id: goalId, role: 'spec', version: 1, status: 'approved', hash: 'h' },
    ...{ content: JSON.stringify({ ...content, acceptance: [], tasks: [] }), created_by: 'agent' },
  })
  f.write('a.md', 'work', task.path)
  await answer(task)
  expect((await review(task)).tier).toBe('block')
})

test('work comes onto the goal’s branch by an approval of its own attempt, and by nothing else', async () => {
  const { integrateTask } = createMergeActivities(deps)
  const task = await begin('a')
  const taskId = task.key.taskId as string
  const integrate = (attempt: number) => integrateTask({ goalId, taskId, attempt })
  const make = async (text: string, attempt: number) => {
    const begun = await beginStage({ ...task.key, attempt })
    f.write('a.ts', text, begun.path)
    await answer(begun)
    expect(await review(begun)).toMatchObject({ tier: 'block' })
  }
  const approve = async (attempt: number) => {
    const { id, hash } = await database.knex('reviews').where({ attempt }).first('id', 'hash')
    const said = {
      reviewId: id,
      hash,
      decision: 'approve',
      via: 'ui',
      actor: 'person:ada',
    } as const
    await database.change((tx, emit) => decideReview(tx, emit, said))
  }
  const nothing = 'nothing was approved: a merge needs a decision'
  await make('first', 1)
  await expect(integrate(1)).rejects.toThrow(nothing)
  await approve(1)
  await make('second', 2)
  await expect(integrate(2)).rejects.toThrow(nothing)
  await approve(2)
  expect(await integrate(2)).toEqual({ outcome: 'merged' })
  const { branch } = await database.knex('goals').first('branch')
  const { id } = await database.knex('projects').first('id')
  const head = await f.git.branchHead({ projectId: id, branch })
  expect(f.sh(['show', `${head}:a.ts`], join(f.home, 'hubs', id, 'clean.git'))).toBe('second')
})

test('much documentation goes on by itself and a person is told to look at it; a little of it just goes on', async () => {
  const [little, much] = [await begin('little'), await begin('much')]
  f.write('a.md', 'one line\n', little.path)
  f.write('b.md', 'many lines\n'.repeat(500), much.path)
  for (const task of [little, much]) await answer(task)
  expect((await review(little)).tier).toBe('auto')
  expect(await notices()).toEqual([])
  expect((await review(much)).tier).toBe('notify')
  const text = expect.stringMatching(
    /^much went on without you: 500 lines of documentation changed\. Look at R-\d+ when you like\.$/,
  )
  expect(await notices()).toEqual([{ stream: `goal/${goalId}`, data: { level: 'info', text } }])
})

test('a worker that stood still while a person approved an edited spec does not put the agent’s in its place', async () => {
  await lifecycle.startGoal({ goalId })
  const key = { goalId, taskId: null, stage: 'spec', attempt: 1 } as const
  const { workspace } = await beginStage(key)
  const facts = await loadFacts(database.knex, goalId)
  const output = { title: 'the agent’s', summary: 's', requirements: [], acceptance: [], tasks: [] }
  const store = () =>
    conclude(deps, { key, facts, workspace, checks: undefined, output, adapter: 'demo' })
  await store()
  const change = { status: 'review', result: { outcome: 'passed' } } as const
  const status = () => database.knex('stage_attempts').where({ stage: 'spec' }).pluck('status')
  await database.change((tx, emit) => changeStage(tx, emit, { key, change }))
  const { openReview } = createReviewActivities(deps)
  const { reviewId } = await openReview({ ...key, kind: 'spec', reason: '' })
  const { hash } = await database.knex('reviews').where({ id: reviewId }).first('hash')
  const edits = { ...output, title: 'the person’s' }
  const said = { decision: 'approve', hash, edits, via: 'ui', actor: 'person:ada' } as const
  await database.change((tx, emit) => decideReview(tx, emit, { reviewId, ...said }))
  await store()
  expect(await status()).toEqual(['review'])
  const { spec } = await loadFacts(database.knex, goalId)
  expect(spec).toMatchObject({ status: 'approved', content: { title: 'the person’s' } })
})

test('items of different specs keep names of their own, so that none passes by the verdict of another', async () => {
  await lifecycle.startGoal({ goalId })
  const store = async (stage: 'spec' | 'test_spec' | 'security_spec', output: object) => {
    const { key, workspace } = await beginStage({ goalId, taskId: null, stage, attempt: 1 })
    const facts = await loadFacts(database.knex, goalId)
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

/** A task's work that was answered and stands on the goal's branch, as after its approval. */
async function onGoalBranch(): Promise<void> {
  const task = await begin('a')
  f.write('b.txt', 'two\n', task.path)
  await answer(task)
  const ofTask = () => database.knex('tasks').where({ id: task.key.taskId })
  const { head } = await ofTask().first('head')
  await ofTask().update({ merged_commit: head })
  const { branch, project_id } = await database.knex('goals').first('branch', 'project_id')
  const clean = join(f.home, 'hubs', project_id, 'clean.git')
  f.sh(['--git-dir', clean, 'update-ref', `refs/heads/${branch}`, head])
  await database.knex('reviews').insert({
    ...{
      kind: 'task',
      goal_id: goalId,
      task_id: task.key.taskId,
      attempt: 1,
      title: 't',
      reason: '',
    },
    ...{ workflow_id: `task/${task.key.taskId}`, hash: 'h', tier: 'block', risk: 'low', head },
    ...{ status: 'approved', decision: 'approve' },
  })
}

test('a goal whose end is cut off and made again still says where its work is, and has it', async () => {
  const task = await begin('a')
  f.write('b.txt', 'two\n', task.path)
  await answer(task)
  let changes = 0
  const change: typeof database.change = (work) =>
    changes++ === 0 ? database.change(work) : Promise.reject(new Error('cut off'))
  const cut = { ...database, change }
  const first = createLifecycleActivities({ ...deps, database: cut }, async () => false)
  await expect(first.endGoal({ goalId, reason: 'not wanted' })).rejects.toThrow('cut off')
  const { branch, head } = await database.knex('tasks').first('branch', 'head')
  f.sh(['branch', '-D', branch]) // a person tidied up meanwhile
  await lifecycle.endGoal({ goalId, reason: 'not wanted' })
  const { status, reason } = await database.knex('goals').first('status', 'reason')
  expect({ status, reason }).toEqual({
    ...{ status: 'cancelled', reason: `not wanted; the work is kept in ${branch}` },
  })
  expect(f.sh(['rev-parse', branch])).toBe(head)
})

test('a failure that a person answered before is not asked about again, and one beside it is', async () => {
  const { key } = await begin('a')
  const spec = { goalId, taskId: null, stage: 'spec', attempt: 1 } as const
  for (const at of [
    spec,
    { ...spec, stage: 'test_spec' },
    { ...key, stage: 'verify' },
  ] as StageKey[])
    await database.change((tx) => openStage(tx, at, null))
  const runner = { reap: async () => undefined }
  const { report } = createLifecycleActivities({ ...deps, runner } as never, async () => false)
  const failed = { status: 'needs_attention', reason: 'broke' } as const
  expect(await report({ ...key, ...failed })).toEqual({ answered: true })
  expect(await database.knex('goals').first('status')).toEqual({ status: 'active' })
  expect(await report({ ...spec, ...failed })).toBeUndefined()
  expect(await database.knex('goals').first('status')).toEqual({ status: 'needs_attention' })
  await database.change((tx) => openStage(tx, { ...spec, attempt: 2 }, null))
  expect(await report({ ...spec, ...failed })).toEqual({ answered: true })
  expect(await report({ ...spec, ...failed, around: true })).toBeUndefined()
})

test('a clock that is set back hides no failure from the person, and no wish for changes from the merge', async () => {
  const { key } = await begin('a')
  const later = (at: object) => database.knex('stage_attempts').where(at)
  await later({ stage: 'implement' }).update({ id: 'ffffffff-ffff-7fff-bfff-000000000000' })
  const verify = { ...key, stage: 'verify' } as StageKey
  await database.change((tx) => openStage(tx, verify, null))
  const runner = { reap: async () => undefined }
  const { report } = createLifecycleActivities({ ...deps, runner } as never, async () => false)
  const failed = { status: 'needs_attention', reason: 'broke' } as const
  expect(await report({ ...verify, ...failed })).toBeUndefined()
  expect(await report({ ...key, ...failed })).toEqual({ answered: true })

  const review = (attempt: number, more: object) => ({
    ...{ kind: 'merge', goal_id: goalId, attempt, title: 't', reason: '', workflow_id: 'w' },
    ...{ hash: 'h', tier: 'block', risk: 'low', decided_at: new Date(), ...more },
  })
  const approved = { status: 'approved', decision: 'approve' }
  const changes = { status: 'changes_requested', decision: 'request_changes' }
  const id = 'ffffffff-ffff-7fff-bfff-000000000000'
  await database.knex('reviews').insert(review(1, { ...approved, id }))
  await database.knex('reviews').insert(review(2, changes))
  const { mergeGoal } = createMergeActivities(deps)
  expect(await mergeGoal({ goalId, attempt: 1 })).toMatchObject({
    ...{ outcome: 'moved', summary: expect.stringContaining('Changes were requested') },
  })
})

test('a goal that cannot be ended says why for as long as that is so, and goes on ending when a person asks', async () => {
  await begin('a')
  const cut = { ...f.git, releaseWorktree: () => Promise.reject(new Error('it is busy')) }
  const first = createLifecycleActivities({ ...deps, git: cut } as ActivityDeps, async () => false)
  await database.knex('goals').update({ attention: { 'goal/spec': 'failed before' } })
  await expect(first.endGoal({ goalId, reason: 'rejected' })).rejects.toThrow('it is busy')
  const seen = () => database.knex('goals').first('status', 'reason')
  expect(await seen()).toEqual({ status: 'active', reason: 'ending: rejected' })
  const place = { goalId, taskId: null, stage: 'merge', attempt: 0 } as const
  await lifecycle.report({ ...place, status: 'needs_attention', reason: 'it is busy' })
  await lifecycle.report({ ...place, stage: 'spec', attempt: 1, status: 'active', reason: null })
  expect(await seen()).toEqual({
    status: 'needs_attention',
    reason: 'could not be ended yet, retry or cancel it again to go on: it is busy',
  })
  const actor = 'person:sam'
  await database.change((tx, emit) => cancelGoal(tx, emit, { id: goalId, actor }))
  expect(await seen()).toEqual({ status: 'active', reason: 'ending: asked again by sam' })
  expect(await database.knex('outbox').pluck('payload')).toMatchObject([{ signal: 'retryStage' }])
  await lifecycle.report({ ...place, status: 'active', reason: null })
  await lifecycle.endGoal({ goalId, reason: 'rejected' })
  expect(await seen()).toMatchObject({ status: 'cancelled', reason: 'rejected' })
})

test.each(['running', 'paused', 'review', 'failed', 'cancelled'])(
  'a goal that ends while a stage is %s leaves no worktree',
  async (status) => {
    const task = await begin('a')
    f.write('b.txt', 'two\n', task.path)
    await answer(task)
    await beginStage({ goalId, taskId: task.key.taskId, stage: 'verify', attempt: 1 })
    await database.knex('stage_attempts').where({ stage: 'verify' }).update({ status })
    await lifecycle.endGoal({ goalId, reason: 'enough' })
    await f.git.idle() // held while it is cleaned
    const { project_id } = await database.knex('goals').first('project_id')
    const left = readdirSync(join(f.home, 'worktrees', project_id))
    expect(left.filter((name) => name.endsWith('.claim.json'))).toEqual([])
  },
)

test.each(['before', 'after'])(
  'a goal whose hubs were deleted can be cancelled %s another goal has made new ones, and says what is left of its work',
  async (when) => {
    const task = await begin('a')
    f.write('b.txt', 'two\n', task.path)
    await answer(task)
    const { project_id: projectId } = await database.knex('goals').first('project_id')
    const clean = join(f.home, 'hubs', projectId, 'clean.git')
    rmSync(join(clean, '..'), { recursive: true })
    if (when === 'after') await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
    const { finishBegunMerge } = createMergeActivities(deps)
    const { endGoal } = createLifecycleActivities(deps, finishBegunMerge)
    await endGoal({ goalId, reason: 'enough' })
    await f.git.idle()
    const { status, reason } = await database.knex('goals').first('status', 'reason')
    if (when === 'before')
      expect(reason).toBe(
        `enough; the work is kept in ${task.path}; Dispatch's own copy of the repository, ${clean}, is gone, and with it what this goal had not merged. File the goal again: dispatch goal "<text>".`,
      )
    else expect(reason).toMatch(/^enough; the work is kept in dispatch\/T-\d+-a$/)
    expect(status).toBe('cancelled')
    if (when === 'before') expect(readFileSync(join(task.path, 'b.txt'), 'utf8')).toBe('two\n')
    else expect(f.sh(['show', `${reason.split(' ').at(-1)}:b.txt`])).toBe('two')
  },
)

test('a goal whose hubs were deleted before its merge says so, and to file it again', async () => {
  await onGoalBranch()
  const { project_id: projectId } = await database.knex('goals').first('project_id')
  rmSync(join(f.home, 'hubs', projectId), { recursive: true })
  const { mergeGoal } = createMergeActivities(deps)
  const again = /own copy of the repository.* File the goal again/
  await expect(mergeGoal({ goalId, attempt: 1 })).rejects.toThrow(again)
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  await expect(mergeGoal({ goalId, attempt: 1 })).rejects.toThrow(again)
})

test('a goal at work whose hubs were made anew says at its next task, at an approved one and at its audit to file it again', async () => {
  await onGoalBranch()
  const { project_id: projectId } = await database.knex('goals').first('project_id')
  const { id: taskId } = await database.knex('tasks').first('id')
  await database.knex('reviews').update({ base: f.sh(['rev-parse', 'main']) })
  rmSync(join(f.home, 'hubs', projectId), { recursive: true })
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const again = /own copy of the repository.* File the goal again/
  await expect(begin('next')).rejects.toThrow(again)
  const audit = { goalId, taskId: null, stage: 'audit', attempt: 1 } as const
  await expect(beginStage(audit)).rejects.toThrow(again)
  const { integrateTask } = createMergeActivities(deps)
  await expect(integrateTask({ goalId, taskId, attempt: 1 })).rejects.toThrow(again)
})

test('a pause that is accepted while the merge waits for its turn holds it; resumed, it is merged', async () => {
  await onGoalBranch()
  const pause = (paused: boolean) => database.knex('goals').update({ paused })
  const git = {
    ...f.git,
    mergeGoal: (input: never) => pause(true).then(() => f.git.mergeGoal(input)),
  }
  const held = createMergeActivities({ ...deps, git } as ActivityDeps)
  const before = f.sh(['rev-parse', 'main'])
  expect(await held.mergeGoal({ goalId, attempt: 1 })).toEqual({ outcome: 'held' })
  expect(f.sh(['rev-parse', 'main'])).toBe(before)
  expect(await database.knex('stage_attempts').where({ stage: 'merge' }).first('status')).toEqual({
    status: 'paused',
  })
  await pause(false)
  const merging = createMergeActivities(deps)
  expect(await merging.mergeGoal({ goalId, attempt: 1 })).toMatchObject({ outcome: 'merged' })
})

test('a merge that another worker has told of since is not told of again by one that stood still', async () => {
  await onGoalBranch()
  const { mergeGoal } = createMergeActivities(deps)
  const git = {
    ...f.git,
    mergeGoal: async (input: never) => {
      const merged = await f.git.mergeGoal(input)
      await mergeGoal({ goalId, attempt: 1 })
      return merged
    },
  }
  const late = createMergeActivities({ ...deps, git } as ActivityDeps)
  const commit = expect.stringMatching(/^[0-9a-f]{40}$/)
  expect(await late.mergeGoal({ goalId, attempt: 1 })).toEqual({ outcome: 'merged', commit })
  expect(await database.knex('events').where({ type: 'goal.merged' })).toHaveLength(1)
})

test('a goal that another worker has merged since is not at work again by one that stood still before', async () => {
  await onGoalBranch()
  const { mergeGoal } = createMergeActivities(deps)
  const git = {
    ...f.git,
    branchHead: async (input: never) => {
      await mergeGoal({ goalId, attempt: 1 })
      return f.git.branchHead(input)
    },
  }
  const late = createMergeActivities({ ...deps, git } as ActivityDeps)
  expect(await late.mergeGoal({ goalId, attempt: 1 })).toMatchObject({ outcome: 'merged' })
  expect(await database.knex('goals').first('status')).toEqual({ status: 'completed' })
})

test.each([
  ['a commit more than those of its tasks', 'FETCH_HEAD'],
  ['other commits than those of its tasks', 'main'],
])(
  'a goal whose branch in the hub holds %s is not merged before a person has seen it',
  async (_, from) => {
    await onGoalBranch()
    const { project_id: projectId, branch } = await database.knex('goals').first()
    const clean = join(f.home, 'hubs', projectId, 'clean.git')
    f.sh(['fetch', '-q', clean, branch])
    f.sh(['branch', 'side', from])
    const setBranch = (to: string) =>
      f.sh(['--git-dir', clean, 'update-ref', `refs/heads/${branch}`, to])
    const sneakIn = async (file: string) => {
      f.sh(['checkout', '-q', 'side'])
      f.commit({ [file]: 'of nobody\n' })
      f.sh(['checkout', '-q', 'main'])
      const other = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'side' })
      setBranch(other)
      return other
    }
    const other = await sneakIn('c.txt')
    const before = f.sh(['rev-parse', 'main'])
    const { mergeGoal } = createMergeActivities(deps)
    const summary = expect.stringMatching(/^dispatch\/G-\d+\S* holds something else .* Look at/)
    expect(await mergeGoal({ goalId, attempt: 1 })).toEqual({ outcome: 'moved', summary })
    expect(f.sh(['rev-parse', 'main'])).toBe(before)
    const { openReview } = createReviewActivities(deps)
    const review = { goalId, taskId: null, kind: 'merge', attempt: 1, stage: 'merge' } as const
    const { reviewId: id } = await openReview({ ...review, reason: 'r' })
    const approved = { status: 'approved', decision: 'approve' }
    await database.knex('reviews').where({ id }).update(approved)
    await sneakIn('d.txt')
    expect(await mergeGoal({ goalId, attempt: 2 })).toEqual({ outcome: 'moved', summary })
    setBranch(other)
    expect(await mergeGoal({ goalId, attempt: 3 })).toMatchObject({ outcome: 'merged' })
    expect(f.sh(['rev-parse', 'main^2'])).toBe(other)
  },
)

test('another repository at the path is told as that, and is given no branch of the work', async () => {
  await onGoalBranch()
  rmSync(f.repo, { recursive: true })
  mkdirSync(f.repo)
  f.sh(['init', '-q', '-b', 'main'])
  f.commit({ 'other.txt': 'x\n' })
  const { mergeGoal } = createMergeActivities(deps)
  const asked = expect.stringMatching(/another repository is there now.* Approve only/)
  expect(await mergeGoal({ goalId, attempt: 1 })).toEqual({ outcome: 'moved', summary: asked })
  f.commit({ 'b.txt': 'mine\n' })
  const blocked = expect.stringMatching(/another repository is there now.* conflicts in b\.txt/)
  expect(await mergeGoal({ goalId, attempt: 1 })).toEqual({ outcome: 'blocked', reason: blocked })
  expect(f.sh(['branch', '--format=%(refname:short)'])).toBe('main')
})

test('a goal whose merge was blocked can be ended when its repository has moved away, and says what is not known', async () => {
  await onGoalBranch()
  f.write('b.txt', 'of the person\n')
  const { finishBegunMerge, mergeGoal } = createMergeActivities(deps)
  expect(await mergeGoal({ goalId, attempt: 1 })).toMatchObject({ outcome: 'blocked' })
  renameSync(f.repo, `${f.repo}-elsewhere`)
  const { endGoal } = createLifecycleActivities(deps, finishBegunMerge)
  await endGoal({ goalId, reason: 'moved' })
  renameSync(`${f.repo}-elsewhere`, f.repo)
  const { status, reason } = await database.knex('goals').first('status', 'reason')
  expect(status).toBe('cancelled')
  expect(reason).toContain('whether its merge had begun could not be seen')
})

test('a goal that began at what was taken out of main since: a clash names the command that brings none of it back, without one it is merged and says so', async () => {
  const taken = f.commit({ '.env': 'KEY=s3cr3t\n' })
  await onGoalBranch()
  f.sh(['rm', '-q', '.env'])
  f.sh(['commit', '-q', '--amend', '--allow-empty', '-m', 'history purged'])
  f.commit({ 'b.txt': 'mine\n' })
  const { mergeGoal } = createMergeActivities(deps)
  const blocked = await mergeGoal({ goalId, attempt: 1 })
  expect(blocked).toMatchObject({ outcome: 'blocked' })
  const { reason } = blocked as { reason: string }
  const [, command = ''] = /`git rebase ([^`]+)`/.exec(reason) ?? []
  const copy = join(f.folder, 'copy')
  cpSync(f.repo, copy, { recursive: true })
  f.sh(['rebase', '-q', '-X', 'theirs', ...command.split(' ')], copy)
  expect(f.sh(['log', '--format=%s', 'HEAD'], copy)).toBe('a\nchange\nhistory purged\nchange')
  expect(f.sh(['show', 'HEAD:b.txt'], copy)).toBe('two')

  f.sh(['reset', '-q', '--hard', 'HEAD~1'])
  expect(await mergeGoal({ goalId, attempt: 2 })).toMatchObject({ outcome: 'merged' })
  expect(f.sh(['log', '--format=%s', 'main^2'])).toBe('a\nhistory purged\nchange')
  const { reason: said } = await database.knex('goals').first('reason')
  expect(said).toContain(`main does not hold ${taken.slice(0, 12)} any more`)
})

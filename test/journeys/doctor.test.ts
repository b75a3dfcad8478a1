import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, renameSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { RUN_DIR_VARIABLE, RUN_ID_VARIABLE } from '../../adapters/process-tree.ts'
import { runCli } from '../../cli/testing/run-cli.ts'
import type { Reply } from '../../contracts/api.ts'
import { createGit, type Git } from '../../git/git.ts'
import { type Installation, git as plainGit, startInstallation } from '../support/installation.ts'
import { until } from '../support/until.ts'

type Finding = Reply<'runDoctor'>['findings'][number]

let at: Installation
let home: string
let git: Git
beforeAll(async () => {
  at = await startInstallation()
  home = join(at.home, 'dispatch')
  git = createGit({ home })
})
afterAll(() => at.close())

const doctor = async (repair: boolean) =>
  (await at.call<Reply<'runDoctor'>>('POST', '/api/doctor', { repair })).body.findings
const named = (findings: Finding[], name: string) =>
  findings.find((finding) => finding.name === name) as Finding

/** A project whose hubs are there, as after a goal. */
async function project() {
  const { repo, id } = await at.project()
  const base = await git.importTarget({ projectId: id, repoPath: repo, target: 'main' })
  const { body } = await at.call<{ name: string }>('GET', `/api/projects/${id}`)
  const clean = join(home, 'hubs', id, 'clean.git')
  return { repo, id, base, clean, sandbox: join(home, 'hubs', id, 'sandbox.git'), name: body.name }
}

/** A worktree as an agent leaves it, of a task that no row knows. */
async function leaveWorktree(projectId: string, base: string) {
  const key = `task/${randomUUID()}`
  const branch = `dispatch/T-9${Math.floor(Math.random() * 1000)}-lost`
  const { path } = await git.claimWorktree({ projectId, key, base, branch })
  writeFileSync(join(path, 'hours of work.txt'), 'precious\n')
  return { key, path, branch }
}

const claims = (projectId: string) =>
  readdirSync(join(home, 'worktrees', projectId)).filter((name) => name.endsWith('.claim.json'))

const old = (path: string) => {
  const hourAgo = Date.now() / 1000 - 3600
  utimesSync(path, hourAgo, hourAgo)
}

test('worktrees, branches, locks and halves of worktrees are named, and put in order; work is found again', async () => {
  const p = await project()
  const orphan = await leaveWorktree(p.id, p.base)
  const lock = join(p.sandbox, 'packed-refs.lock')
  writeFileSync(lock, '')
  mkdirSync(join(home, 'worktrees', p.id, 's-0badcafe'))
  plainGit(p.sandbox, 'update-ref', 'refs/heads/dispatch/T-1-forgotten', p.base)

  const before = named(await doctor(false), `git of ${p.name}`)
  expect(before).toMatchObject({ ok: false, repaired: false })
  expect(before.advice).toContain('dispatch doctor --repair')
  for (const text of [orphan.key, orphan.path, lock, 's-0badcafe', 'dispatch/T-1-forgotten'])
    expect(before.message).toContain(text)

  const done = named(await doctor(true), `git of ${p.name}`)
  expect(done).toMatchObject({ ok: true, repaired: true })
  const ref = /its work is in (refs\/dispatch\/salvage\/\S+?)(;|$)/.exec(done.message)?.[1] ?? ''
  expect(plainGit(p.clean, 'show', `${ref}:hours of work.txt`)).toBe('precious')
  expect(claims(p.id)).toEqual([])
  expect(existsSync(lock)).toBe(false)

  const after = named(await doctor(false), `git of ${p.name}`)
  expect(after).toMatchObject({ ok: true, repaired: false })
  // what it says to do really brings the work back
  const fetched = /git (fetch \S+ \S+)$/.exec(after.message)?.[1]?.split(' ') ?? []
  plainGit(p.repo, ...fetched)
  expect(plainGit(p.repo, 'show', 'FETCH_HEAD:hours of work.txt')).toBe('precious')
})

test('a project whose repository was moved away is named, until it is back', async () => {
  const p = await project()
  const elsewhere = `${p.repo} elsewhere`
  const moved = async () => named(await doctor(false), `repository of ${p.name}`)
  for (const [part, what] of [
    [p.repo, 'does not exist'],
    [join(p.repo, '.git'), 'is not a git repository'],
  ] as const) {
    renameSync(part, elsewhere)
    expect(await moved()).toMatchObject({
      ok: false,
      message: `${p.repo} ${what} any more`,
      advice: expect.stringContaining('put the repository back where it was'),
    })
    renameSync(elsewhere, part)
    expect(await moved()).toBeUndefined()
  }
})

test('folders of runs that no row names go, unless they are new or a process of theirs lives', async () => {
  const runs = join(home, 'runs')
  const [lost, half, fresh, busy] = [randomUUID(), '.new-abc123', randomUUID(), randomUUID()].map(
    (name) => join(runs, name),
  ) as [string, string, string, string]
  for (const path of [lost, half, fresh, busy]) mkdirSync(path, { recursive: true })
  for (const path of [lost, half, busy]) old(path)
  const child = spawn('sleep', ['600'], {
    stdio: 'ignore',
    env: {
      PATH: process.env['PATH'],
      [RUN_ID_VARIABLE]: busy.slice(-36),
      [RUN_DIR_VARIABLE]: busy,
    },
  })
  try {
    await new Promise((resolve) => child.once('spawn', resolve))
    const before = named(await doctor(false), 'run folders')
    expect(before.ok).toBe(false)
    expect(before.message).toContain(lost)
    expect(before.message).toContain(half)
    for (const path of [fresh, busy]) expect(before.message).not.toContain(path)
    expect(named(await doctor(true), 'run folders')).toMatchObject({ ok: true, repaired: true })
    expect([lost, half, fresh, busy].map((path) => existsSync(path))).toEqual([
      ...[false, false, true, true],
    ])
  } finally {
    child.kill('SIGKILL')
  }
})

test('the command line names orphans with exit code 1, repairs them, and then has nothing to say', async () => {
  const p = await project()
  const { key } = await leaveWorktree(p.id, p.base)
  await at.database.knex('goals').insert({
    ...{ project_id: p.id, title: 'over', description: 'x', profile: '{}', target_branch: 'main' },
    status: 'cancelled',
  })
  const goal = await at.database.knex('goals').where({ title: 'over' }).first('id')
  await at.database.knex('run_leases').insert({
    ...{ id: `${goal.id}/spec/1`, goal_id: goal.id, stage: 'spec', adapter: 'demo', state: 'held' },
  })
  const cli = (...args: string[]) =>
    runCli(['doctor', ...args, '--url', at.url, '--home', home], {
      env: {
        HOME: at.home,
        DATABASE_URL: inject('databaseUrl'),
        TEMPORAL_ADDRESS: inject('temporalAddress'),
      },
    })
  const found = await cli()
  expect(found.code, found.stdout).toBe(1)
  expect(found.stdout).toContain(`✗ git of ${p.name}: 1 worktree left over: ${key}`)
  expect(found.stdout).toContain('✗ pool: places in the pool of stages or goals that are over: 1')
  expect(found.stdout).toContain('run "dispatch doctor --repair"')
  const repaired = await cli('--repair')
  expect(repaired.code, repaired.stdout).toBe(0)
  expect(repaired.stdout).toMatch(
    /✓ git of .*its work is in refs\/dispatch\/salvage\/.*\(repaired\)/,
  )
  expect((await cli()).code).toBe(0)
})

test('a worker that starts clears what a killed one left, and saves the work', async () => {
  const p = await project()
  await leaveWorktree(p.id, p.base)
  mkdirSync(join(home, 'worktrees', p.id, 's-0badf00d'))
  const gone = new Promise((resolve) => at.worker.once('exit', resolve))
  at.worker.kill('SIGKILL')
  await gone
  await at.restartWorker()
  await until(() => claims(p.id).length === 0, { ms: 20_000, what: 'the claim to be released' })
  await until(() => !existsSync(join(home, 'worktrees', p.id, 's-0badf00d')), {
    ms: 20_000,
    what: 'the incomplete worktree to be removed',
  })
  expect(plainGit(p.clean, 'for-each-ref', 'refs/dispatch/salvage/')).not.toBe('')
})

test('a repair while agents work takes nothing away from them', async () => {
  const { id } = await at.project()
  const goal = await at.goal(
    id,
    'Finish textkit [demo:all=instant] [demo:implement=commit,slow:15]',
    {
      skipSpecReview: true,
    },
  )
  await at.until(goal.id, (g) =>
    g.stages.some((s) => s.stage === 'implement' && s.status === 'running'),
  )
  await until(() => claims(id).length > 0, { ms: 10_000, what: 'a worktree of the task' })
  const before = claims(id)
  await doctor(true)
  const { body } = await at.call<Reply<'getGoal'>>('GET', `/api/goals/${goal.id}`)
  expect(body.stages.find(({ stage }) => stage === 'implement')?.status).toBe('running')
  expect(claims(id)).toEqual(expect.arrayContaining(before))
  expect(await at.approveAll(goal.id)).toMatchObject({ status: 'completed' })
})

test('without a worker it says that nothing goes on', async () => {
  const worker = async () => named(await doctor(false), 'worker')
  expect(await worker()).toMatchObject({ ok: true })
  at.worker.kill('SIGKILL')
  const dead = await until(async () => ((await worker()).ok ? undefined : worker()), {
    ms: 10_000,
    what: 'the end of the worker',
  })
  expect(dead).toMatchObject({ message: expect.stringContaining('no goal goes on') })
  await at.restartWorker()
  // it says that it lives just after it says that it is ready
  await until(async () => (await worker()).ok, { ms: 10_000, what: 'the worker that is back' })
})

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { runCli } from '../../cli/testing/run-cli.ts'
import type { Reply } from '../../contracts/api.ts'
import type { ProblemBody } from '../../contracts/schemas.ts'
import { AGENT_STAGES } from '../../contracts/stages.ts'
import { git, type Installation, startInstallation } from '../support/installation.ts'
import { makeRepository } from '../support/repository.ts'
import { startTcpGate, type TcpGate } from '../support/tcp-gate.ts'
import { until } from '../support/until.ts'

let at: Installation
let temporal: TcpGate
beforeAll(async () => {
  temporal = await startTcpGate(inject('temporalAddress'))
  at = await startInstallation({ env: { TEMPORAL_ADDRESS: temporal.address } })
  await at.call('PATCH', '/api/settings', { maxConcurrent: 20, maxPerGoal: 10 })
})
afterAll(async () => {
  await at.close()
  await temporal.close()
})

const cli = (args: string[], cwd?: string) =>
  runCli([...args, '--url', at.url, '--home', join(at.home, 'dispatch')], {
    env: { HOME: at.home },
    ...(cwd === undefined ? {} : { cwd }),
  })
let count = 0
const folder = (name: string) => join(at.home, `${name} ${++count}`)
const repository = (name: string, files: Record<string, string> = { 'a.txt': 'a\n' }) =>
  makeRepository(folder(name), files)
const add = (path: string) => at.call<ProblemBody>('POST', '/api/projects', { path })

function emptyRepository(): string {
  const path = folder('empty')
  mkdirSync(path)
  git(path, 'init', '-q', '-b', 'main')
  return path
}

function detached(): string {
  const path = repository('detached')
  git(path, 'checkout', '-q', '--detach')
  return path
}

function plainFolder(): string {
  const path = folder('plain')
  mkdirSync(path)
  return path
}

const REFUSED: [string, () => string, string, string, string][] = [
  ['a folder without git', plainFolder, 'not_a_repository', 'is not a git repository', 'git init'],
  [
    'a repository without a commit',
    emptyRepository,
    'empty_repository',
    'no commit yet',
    'git commit',
  ],
  ['a detached HEAD', detached, 'detached_head', 'detached HEAD', 'name a target branch'],
]

test.each(REFUSED)(
  '%s is refused with what to do, by the API and on the command line',
  async (...row) => {
    const [, make, code, detail, advice] = row
    const path = make()
    const answer = await add(path)
    expect(answer.status).toBe(422)
    expect(answer.body).toMatchObject({ code, detail: expect.stringContaining(detail) })
    expect(answer.body.advice).toContain(advice)
    const shown = await cli(['projects', 'add', path])
    expect(shown.code).toBe(2)
    expect(shown.stdout).toBe('')
    expect(shown.stderr).toContain(detail)
    expect(shown.stderr).toContain(advice)
    expect(await at.database.knex('projects').where({ path })).toEqual([])
  },
)

test('a detached HEAD is no hindrance when the branch is named', async () => {
  const path = detached()
  const shown = await cli(['projects', 'add', path, '--branch', 'main'])
  expect(shown.code, shown.stderr).toBe(0)
})

test('a target branch that is not there is refused before anything is filed, and says how to make it', async () => {
  const path = repository('shop')
  const added = await add(path)
  expect(added.status).toBe(201)
  const answer = await at.call<ProblemBody>('POST', '/api/goals', {
    ...{ project: path, description: 'x', targetBranch: 'release' },
  })
  expect(answer).toMatchObject({ status: 422, body: { code: 'target_missing' } })
  expect(answer.body.advice).toContain('git branch release')
  const shown = await cli(['goal', 'do it', '--target', 'release'], path)
  expect(shown.code).toBe(2)
  expect(shown.stderr).toContain('The target branch release does not exist.')
  expect(shown.stderr).toContain('git branch release')
  git(path, 'branch', 'release')
  const filed = await cli(['goal', 'do it', '--target', 'release', '--profile', 'Demo'], path)
  expect(filed.code, filed.stderr).toBe(0)
})

const LINES = Array.from({ length: 40 }, (_, n) => `line ${n}\n`).join('')

describe('a goal', () => {
  test('submodules and LFS pointers are carried as they are; what agents cannot do there is said at once', async () => {
    const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 5\n'
    const path = repository('heavy', {
      'README.md': '# x\n',
      '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n',
      'big.bin': pointer,
      '.gitmodules': '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n',
    })
    git(
      path,
      'update-index',
      '--add',
      '--cacheinfo',
      `160000,${git(path, 'rev-parse', 'HEAD')},sub`,
    )
    git(path, 'commit', '-q', '-m', 'With a submodule')
    const gitlink = git(path, 'ls-tree', 'main', 'sub')
    const shown = await cli(['projects', 'add', path])
    expect(shown.code, shown.stderr).toBe(0)
    expect(shown.stderr).toMatch(/submodules: agents see their folders empty/)
    expect(shown.stderr).toMatch(/Git LFS: agents see pointers/)
    const goal = await at.goal(
      path,
      'Add it [demo:all=instant] [demo:implement=edit:README.md,instant]',
    )
    expect(await at.approveAll(goal.id)).toMatchObject({ status: 'completed' })
    expect(readFileSync(join(path, 'big.bin'), 'utf8')).toBe(pointer)
    expect(git(path, 'show', 'main:big.bin')).toBe(pointer.trim())
    expect(git(path, 'ls-tree', 'main', 'sub')).toBe(gitlink)
  })

  test('a path with spaces, quotes, newlines and shell words goes all the way to the merge', async () => {
    const name = `it's a "repo"\nof $(touch pwned) \`two\` lines; --yolo`
    const path = makeRepository(join(at.home, name), { 'README.md': '# x\n' })
    const shown = await cli(['projects', 'add', path])
    expect(shown.code, shown.stderr).toBe(0)
    expect(shown.stdout.trimEnd().split('\n')).toHaveLength(1)
    const filed = await cli(
      ['goal', 'Do it [demo:all=instant]', '--profile', 'Demo', '--json'],
      path,
    )
    expect(filed.code, filed.stderr).toBe(0)
    const done = await at.approveAll(JSON.parse(filed.stdout).id)
    expect(done).toMatchObject({ status: 'completed' })
    expect(git(path, 'rev-parse', 'main')).toBe(done.mergedCommit)
  })

  test("a change to a file that the person's git stores in another form is left for them, with the commands that merge it", async () => {
    const path = repository('crypt', { 'a.key': 'old' })
    git(path, 'config', 'filter.crypt.clean', 'sed s/^/stored:/')
    git(path, 'config', 'filter.crypt.smudge', 'sed s/^stored://')
    writeFileSync(join(path, '.gitattributes'), '*.key filter=crypt\n')
    git(path, 'add', '--renormalize', '.')
    git(path, 'add', '.')
    git(path, 'commit', '-q', '-m', 'Crypt')
    expect(git(path, 'show', 'main:a.key')).toBe('stored:old')
    const shown = await cli(['projects', 'add', path])
    expect(shown.stderr).toMatch(/the git filter crypt, which Dispatch does not run/)
    const goal = await at.goal(path, 'Edit [demo:all=instant] [demo:implement=edit:a.key,instant]')
    const { status, reason } = await at.approveAll(goal.id)
    expect(status).toBe('needs_attention')
    expect(reason).toContain('Your git rewrites a.key when it checks them out (filter crypt)')
    expect(readFileSync(join(path, 'a.key'), 'utf8')).toBe('old')
    const advised = [...String(reason).matchAll(/`(git [^`]+)`/g)].map(([, command]) => command)
    expect(advised).toHaveLength(4)
    const script = advised.join(' && ').replaceAll('FILE', 'a.key')
    execFileSync('sh', ['-ec', `${script} -m 'By hand'`], { cwd: path, stdio: 'pipe' })
    expect(git(path, 'status', '--porcelain')).toBe('')
    expect(git(path, 'show', 'main:a.key')).toMatch(/^stored:/)
    expect((await cli(['goal', 'cancel', goal.shortId])).code).toBe(0)
    expect(await at.until(goal.id, (g) => g.status === 'cancelled')).toBeTruthy()
  })

  test('a merge waits for the same file alone, names it, and goes on once the person has committed; other edits stay', async () => {
    const path = repository('dirty', { 'a.txt': LINES, 'mine.txt': 'start\n' })
    expect((await add(path)).status).toBe(201)
    const goal = await at.goal(path, 'Edit [demo:all=instant] [demo:implement=edit:a.txt,instant]')
    const mine = `my a\n${LINES}`
    const other = 'not committed,\tno newline'
    writeFileSync(join(path, 'a.txt'), mine)
    writeFileSync(join(path, 'mine.txt'), other)
    writeFileSync(join(path, 'new.txt'), 'untracked\n')
    const blocked = await at.approveAll(goal.id)
    expect(blocked).toMatchObject({ status: 'needs_attention', stage: 'merge' })
    expect(blocked.reason).toContain('a.txt')
    expect(blocked.reason).not.toContain('mine.txt')
    expect(blocked.reason).toContain('Commit, stash or move it, then retry the merge.')
    const shown = await cli(['goal', 'show', goal.shortId])
    expect(shown.stdout).toContain('uncommitted work that the merge would overwrite: a.txt')
    expect(readFileSync(join(path, 'a.txt'), 'utf8')).toBe(mine)

    git(path, 'commit', '-q', '-m', 'Mine', 'a.txt')
    expect((await cli(['goal', 'retry', goal.shortId])).code).toBe(0)
    const done = await at.approveAll(goal.id)
    expect(done).toMatchObject({ status: 'completed' })
    const merged = git(path, 'show', 'main:a.txt')
    expect(merged).toMatch(/^my a\n/)
    expect(merged).toMatch(/line 39\n.+$/)
    expect(readFileSync(join(path, 'a.txt'), 'utf8').trimEnd()).toBe(merged)
    expect(readFileSync(join(path, 'mine.txt'), 'utf8')).toBe(other)
    expect(readFileSync(join(path, 'new.txt'), 'utf8')).toBe('untracked\n')
    expect(
      git(path, 'status', '--porcelain')
        .split('\n')
        .map((line) => line.trim()),
    ).toEqual(['M mine.txt', '?? new.txt'])
  })

  test('a repository that was moved away is named before the merge, and the merge goes on when it is back', async () => {
    const path = repository('wanderer', { 'README.md': '# x\n' })
    expect((await add(path)).status).toBe(201)
    const goal = await at.goal(
      path,
      'Do it [demo:all=instant] [demo:implement=edit:src/a.js,instant]',
      {
        skipSpecReview: true,
      },
    )
    await at.until(goal.id, (g) =>
      g.reviews.some((r) => r.kind === 'task' && r.status === 'pending'),
    )
    renameSync(path, `${path} elsewhere`)
    const stuck = await at.approveAll(goal.id)
    expect(stuck).toMatchObject({ status: 'needs_attention' })
    expect(stuck.reason).toMatch(/wanderer .* does not exist any more. Put the repository back/)
    renameSync(`${path} elsewhere`, path)
    await at.call('POST', `/api/goals/${goal.id}/retry`, {})
    expect(await at.approveAll(goal.id)).toMatchObject({ status: 'completed' })
  })

  test('an agent that is not there, or not logged in, stops the goal with what to do, and it can be retried', async () => {
    const path = repository('agents')
    await add(path)
    const stages = Object.fromEntries(
      AGENT_STAGES.map((stage) => [stage, { adapter: 'acp:absent' }]),
    )
    const profile = await at.call('POST', '/api/profiles', { name: 'Absent', stages })
    expect(profile.status).toBe(201)
    const missing = await at.goal(path, 'x', { profile: 'Absent' })
    const auth = await at.goal(path, 'x [demo:spec=auth]')
    const needs = (id: string) => at.until(id, (g) => g.status === 'needs_attention')
    expect((await needs(missing.id)).reason).toMatch(/^[^(]*"acp:absent".*Known agents: .*demo/)
    expect((await needs(auth.id)).reason).toMatch(
      /^The agent is not logged in: log in with its own command, then retry\..*demo login/,
    )
    const shown = await cli(['goal', 'show', auth.shortId])
    expect(shown.stdout).toContain('The agent is not logged in')
    expect((await cli(['goal', 'retry', missing.shortId, '--profile', 'Demo'])).code).toBe(0)
    const moved = await at.until(missing.id, (g) => g.reviews.length > 0)
    const specs = moved.stages.filter(({ stage }) => stage === 'spec')
    expect(specs.map(({ adapter }) => adapter)).toEqual(['acp:absent', 'demo'])
    expect((await cli(['goal', 'retry', auth.shortId])).code).toBe(0)
    await at.until(auth.id, (g) =>
      g.stages.some((s) => s.stage === 'spec' && s.attempt === 2 && s.status === 'failed'),
    )
  })
})

test('Temporal goes away: everything can be read, a goal is accepted and starts when it is back', async () => {
  const path = repository('patient')
  await add(path)
  await temporal.close()
  const ready = await until(
    async () => {
      const answer = await at.call<Reply<'ready'>>('GET', '/ready')
      return answer.body.status === 'ok' ? undefined : answer
    },
    { ms: 20_000, what: '/ready to say that Temporal is away' },
  )
  expect(ready.body).toMatchObject({ status: 'degraded', temporal: false, postgres: true })
  for (const read of ['/api/goals', '/api/reviews', '/api/pool', '/api/projects', '/api/events'])
    expect((await at.call('GET', read)).status, read).toBe(200)
  const goal = await at.goal(path, 'Later [demo:all=instant]')
  const status = await cli(['status'])
  expect(status.code).toBe(1)
  expect(status.stdout).toMatch(/Temporal.* not answer/)
  await temporal.open()
  await at.until(goal.id, (g) => g.reviews.some((r) => r.status === 'pending'))
  expect((await at.call<Reply<'ready'>>('GET', '/ready')).body).toMatchObject({ temporal: true })
})

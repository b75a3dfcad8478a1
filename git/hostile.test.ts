import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { changedConfig } from './config-snapshot.ts'
import { canBeRefused, createFixture, type Fixture } from './fixture.ts'
import { createGit } from './git.ts'

let f: Fixture
let canaries: string
const projectId = 'p1'
beforeEach(() => {
  f = createFixture()
  canaries = join(f.folder, 'canaries')
  mkdirSync(canaries)
})
afterEach(() => f.remove())

const HOOKS = [
  'post-checkout',
  'pre-commit',
  'commit-msg',
  'post-commit',
  'reference-transaction',
  'post-index-change',
  'pre-merge-commit',
  'post-merge',
  'update',
  'pre-receive',
  'post-receive',
  'post-rewrite',
  'pre-auto-gc',
]
const ATTRIBUTES = '* filter=evil diff=evil merge=evil\n'

/** Everything in a repository's own folder that makes git run a program. */
function poison(gitDir: string, name: string): void {
  const run = (what: string) => `touch ${canaries}/${name}-${what};`
  const sh = (what: string) => `"sh -c 'touch ${canaries}/${name}-${what}; cat'"`
  appendFileSync(
    join(gitDir, 'config'),
    `[core]
	fsmonitor = ${sh('fsmonitor')}
	hooksPath = ${gitDir}/hooks
	sshCommand = ${sh('ssh')}
	editor = ${sh('editor')}
	pager = ${sh('pager')}
	alternateRefsCommand = ${sh('alternates')}
	attributesFile = ${gitDir}/info/attributes
[diff]
	external = ${sh('external')}
[diff "evil"]
	command = ${sh('diffcommand')}
	textconv = ${sh('textconv')}
[filter "evil"]
	clean = ${sh('clean')}
	smudge = ${sh('smudge')}
	process = ${sh('process')}
	required = true
[merge "evil"]
	driver = ${sh('merge')}
[gpg]
	program = ${sh('gpg')}
[commit]
	gpgSign = true
[remote "origin"]
	url = "ext::sh -c touch% ${canaries}/${name}-ext"
	fetch = +refs/heads/*:refs/remotes/origin/*
	uploadpack = ${sh('uploadpack')}
	promisor = true
	partialclonefilter = blob:none
[uploadpack]
	packObjectsHook = ${sh('packobjects')}
[submodule]
	recurse = true
`,
  )
  mkdirSync(join(gitDir, 'info'), { recursive: true })
  writeFileSync(join(gitDir, 'info', 'attributes'), ATTRIBUTES)
  mkdirSync(join(gitDir, 'hooks'), { recursive: true })
  for (const hook of HOOKS) {
    writeFileSync(join(gitDir, 'hooks', hook), `#!/bin/sh\n${run(`hook-${hook}`)}\nexit 1\n`)
    chmodSync(join(gitDir, 'hooks', hook), 0o755)
  }
}

test.each([
  ['put back by us before each operation', true],
  ['planted again faster than we put it back', false],
])(
  'nothing that a repository or an agent plants is run by any operation (%s)',
  async (_, restored) => {
    const base = f.commit({ 'a.txt': 'one\n', 'b.txt': 'bee\n', '.gitattributes': ATTRIBUTES })
    poison(join(f.repo, '.git'), 'person')
    f.write('b.txt', 'the person edits')
    expect(await f.git.inspectRepository(f.repo)).toMatchObject({ dirtyFiles: 1 })
    await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
    await f.git.warm({ projectId, base, slots: 2, repoPath: f.repo })
    const claim = { projectId, base, key: 'T-1', branch: 'dispatch/T-1' }
    const { path } = await f.git.claimWorktree(claim)
    const sandbox = join(f.home, 'hubs', projectId, 'sandbox.git')
    // Without the stored original, and what it is made again from, nothing is put back: the poison is in force all the time.
    if (!restored) {
      rmSync(join(f.home, 'hubs', projectId, 'sandbox.config'))
      appendFileSync(
        join(f.home, 'hubs', projectId, 'clean.git', 'config'),
        '# of another version\n',
      )
    }
    poison(sandbox, 'agent')
    f.write('a.txt', 'agent\n', path)
    f.write('nested/x.txt', 'x', path)
    f.sh(['init', '-q', join(path, 'nested')])
    poison(join(path, 'nested', '.git'), 'nested')
    await f.git.claimWorktree(claim)
    await f.git.claimWorktree({ ...claim, key: 'T-2', branch: 'dispatch/T-2' })
    poison(sandbox, 'agent')
    await f.git.claimWorktree({ ...claim, key: 'T-3', branch: 'dispatch/T-3' })
    poison(sandbox, 'agent')
    f.tampered.length = 0
    const { head, files } = await f.git.commitAll({
      projectId,
      worktreePath: path,
      message: 'm',
      trailers: {},
    })
    expect(f.tampered).toEqual(restored ? ['config', 'hooks', 'info/attributes'] : [])
    expect(files).toEqual(['a.txt'])
    poison(sandbox, 'agent')
    await f.git.publish({ projectId, head, key: 'T-1' })
    await f.git.freeze({ projectId, ref: 'refs/dispatch/review/R-1', sha: head })
    const { hash } = await f.git.diff({ projectId, base, head })
    const goalBranch = 'dispatch/G-1'
    await f.git.createGoalBranch({ projectId, goalBranch, base })
    const task = {
      projectId,
      goalBranch,
      taskHead: head,
      taskBase: base,
      approved: { hash },
      message: 'm',
      trailers: {},
      mergeKey: 'k1',
    }
    expect((await f.git.integrateTask(task)).outcome).toBe('merged')
    const goalHead = (await f.git.branchHead({ projectId, branch: goalBranch })) ?? ''
    await f.git.rebaseTask({ projectId, worktreePath: path, onto: goalHead })
    poison(sandbox, 'agent')
    await f.git.prepareConflict({ projectId, worktreePath: path, onto: goalHead })
    const merge = () =>
      f.git.mergeGoal({
        projectId,
        repoPath: f.repo,
        target: 'main',
        goalHead,
        began: base,
        approved: { base, hash },
        message: 'Merge',
        trailers: {},
        mergeKey: 'k2',
        intent: {
          load: async () => undefined,
          begin: async () => true,
          save: async () => undefined,
        },
      })
    // what the person's own git would smudge is theirs to merge; the rest of the poison stays
    expect(await merge()).toMatchObject({ outcome: 'filtered' })
    const config = join(f.repo, '.git', 'config')
    writeFileSync(config, readFileSync(config, 'utf8').replace(/^\t(smudge|process) = .*\n/gm, ''))
    expect(await merge()).toMatchObject({ outcome: 'merged' })
    await f.git.exportBranch({ projectId, repoPath: f.repo, branch: 'dispatch/T-1', sha: head })
    poison(sandbox, 'agent')
    f.write('more.txt', 'x', path)
    await f.git.releaseWorktree({ projectId, key: 'T-1' })
    await f.git.idle()
    await f.git.repair({ projectId, liveKeys: [] })
    await f.git.idle()
    expect(readdirSync(canaries)).toEqual([])
    expect([
      readFileSync(join(f.repo, 'a.txt'), 'utf8'),
      readFileSync(join(f.repo, 'b.txt'), 'utf8'),
    ]).toEqual(['agent\n', 'the person edits'])
    // The traps do work: plain git falls into them.
    expect(() => f.sh(['commit', '-qam', 'x'])).toThrow()
    expect(readdirSync(canaries).length).toBeGreaterThan(0)
  },
)

test.each([
  ['a broken index', (file: string) => writeFileSync(file, 'not an index')],
  [
    'a folder in place of the index',
    (file: string) => mkdirSync(join(file, 'x'), { recursive: true }),
  ],
])(
  '%s, with a broken sandbox config and HEAD, does not stop the work from being kept',
  async (_, spoil) => {
    const base = f.commit({ 'a.txt': 'one\n' })
    await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
    const { path } = await f.git.claimWorktree({
      projectId,
      base,
      key: 'T-1',
      branch: 'dispatch/T-1',
    })
    const sandbox = join(f.home, 'hubs', projectId, 'sandbox.git')
    const admin = join(sandbox, 'worktrees', path.split('/').at(-1) ?? '')
    writeFileSync(join(sandbox, 'config'), '[[[ not a config')
    rmSync(join(admin, 'index'))
    spoil(join(admin, 'index'))
    writeFileSync(join(admin, 'HEAD'), 'ref: ../../etc/passwd')
    f.write('a.txt', 'kept\n', path)
    const made = await f.git.commitAll({
      projectId,
      worktreePath: path,
      message: 'm',
      trailers: {},
    })
    expect([made.files, f.tampered]).toEqual([['a.txt'], ['config']])
    expect(f.sh(['status', '--porcelain', '-b'], path)).toBe('## dispatch/T-1')
  },
)

test('what an agent changed in its hub stays as evidence until somebody has kept it', async () => {
  const base = f.commit({ 'a.txt': 'one\n' })
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const claim = { projectId, base, key: 'T-1', branch: 'dispatch/T-1' }
  const { path } = await f.git.claimWorktree(claim)
  f.sh(['config', 'core.fsmonitor', './payload'], path)
  const onTampered = async () => {
    throw new Error('killed')
  }
  const dying = createGit({ home: f.home, onTampered })
  await expect(dying.claimWorktree(claim)).rejects.toThrow('killed')
  dying.close()
  await f.git.claimWorktree(claim)
  await f.git.claimWorktree(claim)
  expect(f.tampered).toEqual(['config'])
})

test('pipes and links in the place of files are waited for by nobody, and the work is kept', async () => {
  const base = f.commit({ 'a.txt': 'one\n', 'yarn.lock': 'x\n' })
  f.write('node_modules/x.js', '')
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const claim = { projectId, base, key: 'T-1', branch: 'dispatch/T-1' }
  const { path } = await f.git.claimWorktree(claim)
  const sandbox = join(f.home, 'hubs', projectId, 'sandbox.git')
  const head = join(sandbox, 'worktrees', path.split('/').at(-1) ?? '', 'HEAD')
  const files = [head, join(sandbox, 'config'), join(sandbox, 'objects/info/alternates')]
  const insteadPut = (make: (file: string) => void) => {
    for (const file of [...files, join(path, 'yarn.lock')]) {
      rmSync(file)
      make(file)
    }
  }
  const made = async () => {
    expect(await f.git.provisionDependencies({ repoPath: f.repo, worktreePath: path })).toEqual([])
    return f.git.commitAll({ projectId, worktreePath: path, message: 'm', trailers: {} })
  }
  const spoilt = ['config', 'objects/info/alternates']
  f.write('a.txt', 'kept\n', path)
  insteadPut((file) => execFileSync('mkfifo', [file]))
  // a pipe is no file that git keeps
  expect(await made()).toMatchObject({ files: ['a.txt', 'yarn.lock'] })
  expect(f.tampered).toEqual(spoilt)
  insteadPut((file) => symlinkSync('/dev/zero', file))
  expect(await made()).toMatchObject({ files: ['a.txt', 'yarn.lock'] })
  expect(f.tampered).toEqual([...spoilt, ...spoilt])
  expect(f.sh(['status', '--porcelain', '-b'], path)).toBe('## dispatch/T-1')
}, 20_000)

test.each([
  ['no byte, as a machine leaves it that goes down,', ''],
  ['anything', 'garbage\n'],
  ['the name of a commit that is not there', `${'1'.repeat(40)}\n`],
  ['its own name', 'ref: refs/heads/dispatch/T-1\n'],
])(
  'with %s in place of its branch the work is kept, and what is left over is found',
  async (_, content) => {
    const base = f.commit({ 'a.txt': 'one\n' })
    await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
    const claim = { projectId, base, key: 'T-1', branch: 'dispatch/T-1' }
    const { path } = await f.git.claimWorktree(claim)
    f.write('a.txt', 'kept\n', path)
    const heads = join(f.home, 'hubs', projectId, 'sandbox.git', 'refs/heads')
    for (const name of ['dispatch/T-1', 'another']) writeFileSync(join(heads, name), content)
    expect(await f.git.scan({ projectId, liveKeys: ['T-1'] })).toMatchObject({ brokenSlots: [] })
    expect(await f.git.claimWorktree(claim)).toEqual({ path, head: base })
    const made = await f.git.commitAll({
      projectId,
      worktreePath: path,
      message: 'm',
      trailers: {},
    })
    expect(made.files).toEqual(['a.txt'])
    await f.git.publish({ projectId, key: 'T-1', head: made.head })
    expect(f.sh(['rev-parse', 'dispatch/T-1'], path)).toBe(made.head)
  },
)

test('a hub that an agent pointed at another repository is its own again', async () => {
  const base = f.commit({ 'a.txt': 'one\n' })
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const claim = { projectId, base, key: 'T-1', branch: 'dispatch/T-1' }
  const { path } = await f.git.claimWorktree(claim)
  const sandbox = join(f.home, 'hubs', projectId, 'sandbox.git')
  writeFileSync(join(sandbox, 'commondir'), `${join(f.repo, '.git')}\n`)
  f.write('a.txt', 'kept\n', path)
  const made = await f.git.commitAll({ projectId, worktreePath: path, message: 'm', trailers: {} })
  expect([made.files, f.tampered]).toEqual([['a.txt'], ['commondir']])
  expect(f.sh(['branch', '--list', 'dispatch/*'])).toBe('')
})

test('pipes that are called like what git reads first are waited for by nobody, neither to commit nor to save the work', async () => {
  const base = f.commit({ 'a.txt': 'one\n', 'sub/.gitattributes': '*.txt text\n' })
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const claim = { projectId, base, key: 'T-1', branch: 'dispatch/T-1' }
  const { path } = await f.git.claimWorktree(claim)
  const putPipes = () => {
    for (const folder of ['sub', 'n\xe9w', 'own/.git/objects', 'own/.git/refs'])
      mkdirSync(join(path, folder), { recursive: true })
    rmSync(join(path, 'sub/.gitattributes'), { force: true })
    const pipes = ['.gitignore', 'sub/.gitattributes', 'n\xe9w/.gitignore', 'own/.git/HEAD']
    for (const pipe of pipes) execFileSync('mkfifo', [join(path, pipe)])
  }
  f.write('sub/b.txt', 'kept\n', path)
  putPipes()
  const made = await f.git.commitAll({ projectId, worktreePath: path, message: 'm', trailers: {} })
  expect(made.files.sort()).toEqual(['sub/.gitattributes', 'sub/b.txt'])
  f.write('a.txt', 'two\n', path)
  putPipes()
  const { salvaged } = await f.git.releaseWorktree({ projectId, key: 'T-1' })
  expect(f.sh(['show', `${salvaged?.ref}:a.txt`], salvaged?.repository)).toBe('two')
}, 20_000)

test.skipIf(!canBeRefused)(
  'a file that cannot be read, and whose name looks like what git says of another one, opens nothing outside of the worktree',
  async () => {
    const base = f.commit({ 'a.txt': 'one\n' })
    await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
    const own = join(f.folder, 'closed.key')
    writeFileSync(own, 'of the person')
    chmodSync(own, 0)
    const git = f.unprivileged()
    for (const [key, name] of [
      ['T-1', own],
      ['T-2', 'link/closed.key'],
    ] as const) {
      const { path } = await git.claimWorktree({ projectId, base, key, branch: `dispatch/${key}` })
      const told = `\nerror: open("${name}`
      symlinkSync(f.folder, join(path, 'link'))
      f.write(told, 'x', path)
      chmodSync(join(path, told), 0)
      const commit = { projectId, worktreePath: path, message: 'm', trailers: {} }
      await expect(git.commitAll(commit)).rejects.toThrow(/^Git cannot read /)
    }
    expect(statSync(own).mode & 0o777).toBe(0)
  },
)

test('a link in the place of a worktree leads nobody to the files of the person, neither to commit nor to clean them', async () => {
  const base = f.commit({ 'a.txt': 'one\n' })
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  f.write('mine.txt', 'precious')
  const claim = (key: string) =>
    f.git.claimWorktree({ projectId, base, key, branch: `dispatch/${key}` })
  const linked = async (key: string) => {
    const { path } = await claim(key)
    rmSync(path, { recursive: true })
    symlinkSync(f.repo, path)
    return path
  }
  const worktreePath = await linked('T-1')
  const commit = { projectId, worktreePath, message: 'm', trailers: {} }
  await expect(f.git.commitAll(commit)).rejects.toMatchObject({ code: 'workspace_lost' })
  expect((await claim('T-1')).path).toBe(worktreePath)
  expect(await f.git.commitAll(commit)).toMatchObject({ changed: false })
  await linked('T-2')
  const released = await f.git.releaseWorktree({ projectId, key: 'T-2', dropBranch: true })
  expect(released).toEqual({ salvaged: undefined })
  // one that nobody has is made ready for the next
  await f.git.releaseWorktree({ projectId, key: 'T-1', dropBranch: true })
  await f.git.idle()
  rmSync(worktreePath, { recursive: true })
  symlinkSync(f.repo, worktreePath)
  await f.git.warm({ projectId, base, slots: 1 })
  await f.git.repair({ projectId, liveKeys: [] })
  await f.git.idle()
  expect(f.sh(['status', '--porcelain', '-b'])).toBe('## main\n?? mine.txt')
  expect(f.sh(['status', '--porcelain'], (await claim('T-3')).path)).toBe('')
})

test('commits on another branch and a rewritten history are kept, and our branch follows the worktree', async () => {
  const base = f.commit({ 'a.txt': 'one\n' })
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const { path } = await f.git.claimWorktree({
    projectId,
    base,
    key: 'T-1',
    branch: 'dispatch/T-1',
  })
  f.sh(['commit', '-q', '--allow-empty', '-m', 'first thought'], path)
  const first = f.sh(['rev-parse', 'HEAD'], path)
  f.sh(['checkout', '-q', '-b', 'my-own', base], path)
  f.write('own.txt', 'x', path)
  const made = await f.git.commitAll({
    projectId,
    worktreePath: path,
    message: 'm',
    trailers: { 'Dispatch-Task': 'T-1' },
  })
  expect(f.sh(['log', '-1', '--format=%an <%ae>|%P|%(trailers:only)', 'dispatch/T-1'], path)).toBe(
    `Dispatch <dispatch@localhost>|${base}|Dispatch-Task: T-1\n`,
  )
  expect(made).toMatchObject({ committed: true, changed: true, files: ['own.txt'] })
  const again = await f.git.commitAll({ projectId, worktreePath: path, message: 'm', trailers: {} })
  expect(again).toMatchObject({ head: made.head, committed: false, changed: true })
  const { salvage } = await f.git.scan({ projectId, liveKeys: ['T-1'] })
  expect(salvage.map((s) => s.sha)).toEqual([first])
})

test('an object that lies about its name never enters the clean hub', async () => {
  const base = f.commit({ 'a.txt': 'one\n' })
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const { path } = await f.git.claimWorktree({
    projectId,
    base,
    key: 'T-1',
    branch: 'dispatch/T-1',
  })
  f.write('a.txt', 'good\n', path)
  const { head } = await f.git.commitAll({
    projectId,
    worktreePath: path,
    message: 'm',
    trailers: {},
  })
  const blob = f.sh(['rev-parse', `${head}:a.txt`], path)
  const bad = f.sh(['hash-object', '-w', join(f.repo, '.git/HEAD')], path)
  const loose = (sha: string) =>
    join(f.home, 'hubs', projectId, 'sandbox.git/objects', sha.slice(0, 2), sha.slice(2))
  chmodSync(loose(blob), 0o644)
  writeFileSync(loose(blob), readFileSync(loose(bad)))
  await expect(f.git.publish({ projectId, head, key: 'T-1' })).rejects.toThrow()
  expect(existsSync(loose(blob).replace('sandbox.git', 'clean.git'))).toBe(false)
})

test('a change of config or hooks is named', async () => {
  f.commit({ 'a.txt': 'x' })
  const before = await f.git.snapshotConfig(f.repo)
  expect(await f.git.snapshotConfig(f.repo)).toEqual(before)
  poison(join(f.repo, '.git'), 'person')
  execFileSync('mkfifo', [join(f.repo, '.git/hooks/pipe')]) // nobody waits for its writer
  const after = await f.git.snapshotConfig(f.repo)
  expect(changedConfig(before, after)).toEqual(
    expect.arrayContaining([
      ...['config core.fsmonitor', 'config filter.evil.clean'],
      ...['hooks/pipe', 'hooks/pre-commit', 'info/attributes'],
    ]),
  )
})

test("a change of a linked worktree's own config is named", async () => {
  f.commit({ 'a.txt': 'x' })
  const linked = join(f.folder, 'linked')
  f.sh(['worktree', 'add', '-q', linked])
  f.sh(['config', 'extensions.worktreeConfig', 'true'])
  const before = await f.git.snapshotConfig(linked)
  f.sh(['config', '--worktree', 'core.fsmonitor', './payload'], linked)
  const named = changedConfig(before, await f.git.snapshotConfig(linked))
  expect(named).toEqual(['worktrees/linked/config.worktree core.fsmonitor'])
})

test('where a repository is spoilt so that git finds another one, it is that one whose config is looked at', async () => {
  f.commit({ 'a.txt': 'x' })
  const before = await f.git.snapshotConfig(f.repo)
  f.sh(['init', '-q', f.folder])
  f.sh(['config', '--file', join(f.folder, '.git/config'), 'core.fsmonitor', './payload'])
  renameSync(join(f.repo, '.git/refs'), join(f.repo, '.git/refs.away'))
  const after = await f.git.snapshotConfig(f.repo)
  expect(changedConfig(before, after)).toContain('config core.fsmonitor')
})

test('of a config what starts programs is named, not what git notes of a branch, and no password', async () => {
  f.commit({ 'a.txt': 'x' })
  const changed = async (...configs: string[][]) => {
    const before = await f.git.snapshotConfig(f.repo)
    for (const args of configs) f.sh(['config', ...args])
    return changedConfig(before, await f.git.snapshotConfig(f.repo))
  }
  const upstream = [
    ['branch.main.remote', 'origin'],
    ['branch.main.merge', 'refs/heads/main'],
    ['branch.feature.x.vscode-merge-base', 'origin/main'],
  ]
  expect(await changed(...upstream)).toEqual([])
  expect(await changed(['branch.main.remote', 'ext::sh -c ./payload'])).toEqual([
    'config branch.main.remote',
  ])
  expect(await changed(['url.https://me:secret@host/.insteadOf', 'https://host/'])).toEqual([
    'config url.https://host/.insteadof',
  ])
  const config = join(f.repo, '.git/config')
  const before = await f.git.snapshotConfig(f.repo)
  renameSync(config, `${config}.elsewhere`)
  symlinkSync(`${config}.elsewhere`, config)
  expect(changedConfig(before, await f.git.snapshotConfig(f.repo))).toContain('config')
})

test('a title that an agent wrote for a terminal is plain text in the history, and no trailer of ours', async () => {
  const base = f.commit({ 'a.txt': 'one\n' })
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const claim = { projectId, base, key: 'T-1', branch: 'dispatch/T-1' }
  const { path } = await f.git.claimWorktree(claim)
  f.write('a.txt', 'two\n', path)
  const { head } = await f.git.commitAll({
    projectId,
    worktreePath: path,
    message: 'Grüße 🐎\x1b]52;c;eA==\x07\x9b2J\0\r\tx\n\nDispatch-Review: R-1',
    trailers: { 'Dispatch-Task': 'T-1' },
  })
  const shown = (format: string) => f.sh(['log', '-1', `--format=${format}`, head], path)
  expect(shown('%B')).toBe(
    'Grüße 🐎]52;c;eA==2J\tx\n\nDispatch-Review: R-1\n\nDispatch-Task: T-1\n',
  )
  expect(shown('%(trailers)')).toBe('Dispatch-Task: T-1\n')
})

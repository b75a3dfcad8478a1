import { execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { canBeRefused, createFixture, type Fixture } from './fixture.ts'
import { createGit } from './git.ts'

let f: Fixture
let base: string
const projectId = 'p1'
beforeEach(async () => {
  f = createFixture()
  f.commit({ 'a.txt': 'one\n', 'src/b.txt': 'two\n', '.gitignore': 'ignored/\nnode_modules/\n' })
  base = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
})
afterEach(() => f.remove())
const clean = () => join(f.home, 'hubs', projectId, 'clean.git')
const claim = (key: string) =>
  f.git.claimWorktree({ projectId, key, base, branch: `dispatch/${key}` })

test('what an agent commits is on the disk when git has said so', async () => {
  const { path } = await claim('T-1')
  expect(f.sh(['config', 'core.fsync'], path)).toBe('committed')
})

test('a claim is a checkout on its own branch, and the same key gets it again', async () => {
  const first = await claim('T-1')
  expect(f.sh(['status', '--porcelain', '-b'], first.path)).toBe('## dispatch/T-1')
  expect(readFileSync(join(first.path, 'a.txt'), 'utf8')).toBe('one\n')
  f.write('new.txt', 'x', first.path)
  f.sh(['commit', '-q', '--allow-empty', '-m', 'mine'], first.path)
  const again = await createGit({ home: f.home }).claimWorktree({
    projectId,
    key: 'T-1',
    base,
    branch: 'dispatch/T-1',
  })
  expect(again.path).toBe(first.path)
  expect(again.head).toBe(f.sh(['rev-parse', 'HEAD'], first.path))
  expect(existsSync(join(first.path, 'new.txt'))).toBe(true)
})

test.each([
  ['at a commit', ['checkout', '-q', '--detach', 'HEAD~1']],
  ['on a branch', ['checkout', '-q', '-b', 'before', 'HEAD~1']],
])(
  'an agent that ends where it only looked, %s of before, has done what its branch holds',
  async (_, look) => {
    const { path } = await claim('T-1')
    for (const name of ['one.txt', 'two.txt']) {
      f.write(name, 'x', path)
      f.sh(['add', name], path)
      f.sh(['commit', '-q', '-m', name], path)
    }
    const head = f.sh(['rev-parse', 'HEAD'], path)
    f.sh(look, path)
    const made = await f.git.commitAll({
      projectId,
      worktreePath: path,
      message: 'm',
      trailers: {},
    })
    expect(made).toMatchObject({ head, committed: false, files: ['one.txt', 'two.txt'] })
    expect(f.sh(['status', '--porcelain', '-b'], path)).toBe('## dispatch/T-1')
  },
)

test('20 claims at once all work, and each has its own worktree', async () => {
  await f.git.warm({ projectId, base, slots: 3 })
  const claims = await Promise.all(Array.from({ length: 20 }, (_, i) => claim(`T-${i}`)))
  expect(new Set(claims.map((c) => c.path)).size).toBe(20)
  for (const c of claims) expect(f.sh(['status', '--porcelain'], c.path)).toBe('')
})

test('a warm worktree is taken, and a branch that exists is checked out again', async () => {
  await f.git.warm({ projectId, base, slots: 1 })
  const first = await claim('T-1')
  f.write('a.txt', 'changed\n', first.path)
  const { head } = await f.git.commitAll({
    projectId,
    worktreePath: first.path,
    message: 'work',
    trailers: {},
  })
  await f.git.publish({ projectId, head, key: 'T-1' })
  expect(await f.git.releaseWorktree({ projectId, key: 'T-1' })).toEqual({ salvaged: undefined })
  await f.git.idle()
  const second = await claim('T-1')
  expect(second).toEqual({ path: first.path, head })
  expect(readFileSync(join(second.path, 'a.txt'), 'utf8')).toBe('changed\n')
  expect(f.sh(['status', '--porcelain'], second.path)).toBe('')
})

test('a claim cut short by a crash is finished by the next call', async () => {
  const first = await claim('T-1')
  const file = join(first.path, '..', `${first.path.split('/').at(-1)}.claim.json`)
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), active: false }))
  rmSync(first.path, { recursive: true })
  const again = await claim('T-1')
  expect(again.path).toBe(first.path)
  expect(f.sh(['status', '--porcelain', '-b'], again.path)).toBe('## dispatch/T-1')
})

test.each(['renamed its branch', 'deleted the link to its repository', 'deleted both'])(
  'an agent that %s keeps its work when its worktree is claimed again',
  async (what) => {
    const { path } = await claim('T-1')
    const commitAll = () =>
      f.git.commitAll({ projectId, worktreePath: path, message: 'm', trailers: {} })
    f.write('a.txt', 'attempt 1\n', path)
    const first = await commitAll()
    await f.git.publish({ projectId, head: first.head, key: 'T-1' })
    if (what === 'renamed its branch') f.sh(['branch', '-m', 'feature/x'], path)
    f.write('src/b.txt', 'committed by the agent\n', path)
    f.sh(['commit', '-q', '-a', '-m', 'by the agent'], path)
    const own = f.sh(['rev-parse', 'HEAD'], path)
    f.write('a.txt', 'not yet committed\n', path)
    if (what === 'deleted both') f.sh(['update-ref', '-d', 'refs/heads/dispatch/T-1'], path)
    if (what !== 'renamed its branch') rmSync(join(path, '.git'))
    const again = await claim('T-1')
    expect(again).toEqual({ path, head: what === 'deleted both' ? first.head : own })
    expect(readFileSync(join(path, 'a.txt'), 'utf8')).toBe('not yet committed\n')
    expect(f.sh(['status', '--porcelain', '-b'], path)).toMatch(/^## dispatch\/T-1\n M a\.txt/)
    expect((await commitAll()).files).toEqual(['a.txt', 'src/b.txt'])
  },
)

test('the branch of another key is refused with its name', async () => {
  await claim('T-1')
  await expect(
    f.git.claimWorktree({ projectId, key: 'T-2', base, branch: 'dispatch/T-1' }),
  ).rejects.toThrow(/dispatch\/T-1 is in use by T-1/)
})

test('uncommitted and unpublished work is saved before a worktree is cleaned', async () => {
  const { path } = await claim('T-1')
  f.sh(['commit', '-q', '--allow-empty', '-m', 'committed by the agent'], path)
  f.write('half-done.txt', 'precious', path)
  f.write('a.txt', 'edited\n', path)
  f.write('ignored/junk', 'junk', path)
  const { salvaged } = await f.git.releaseWorktree({ projectId, key: 'T-1' })
  expect(salvaged).toEqual({ repository: clean(), ref: 'refs/dispatch/salvage/T-1' })
  expect(f.sh(['--git-dir', clean(), 'show', `${salvaged?.ref}:half-done.txt`])).toBe('precious')
  expect(f.sh(['--git-dir', clean(), 'log', '--format=%s', `${base}..${salvaged?.ref}`])).toBe(
    'Salvage of T-1\ncommitted by the agent',
  )
  await f.git.idle()
  const files = readdirSync(path).sort()
  expect(files).toEqual(['.git', '.gitignore', 'a.txt', 'src'])
  expect(readFileSync(join(path, 'a.txt'), 'utf8')).toBe('one\n')
  expect(await f.git.releaseWorktree({ projectId, key: 'T-1' })).toEqual({ salvaged: undefined })
})

test('dependencies are copied when the lockfiles agree, and cleaning never follows a link', async () => {
  f.commit({ 'package-lock.json': '{}' })
  f.write('node_modules/dep/index.js', 'host')
  symlinkSync('dep', join(f.repo, 'node_modules', 'alias'))
  symlinkSync(f.folder, join(f.repo, 'node_modules', 'out'))
  base = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const { path } = await claim('T-1')
  const where = { repoPath: f.repo, worktreePath: path }
  expect(await f.git.provisionDependencies(where)).toEqual(['node_modules'])
  expect(readdirSync(join(path, 'node_modules')).sort()).toEqual(['.gitignore', 'alias', 'dep'])
  f.write('node_modules/dep/index.js', 'agent', path)
  rmSync(join(path, 'node_modules'), { recursive: true })
  symlinkSync(join(f.repo, 'node_modules'), join(path, 'node_modules'))
  await f.git.releaseWorktree({ projectId, key: 'T-1' })
  await f.git.idle()
  expect(existsSync(join(path, 'node_modules'))).toBe(false)
  expect(readFileSync(join(f.repo, 'node_modules/dep/index.js'), 'utf8')).toBe('host')
  const other = await claim('T-2')
  f.write('package-lock.json', '{"changed":1}', other.path)
  expect(await f.git.provisionDependencies({ repoPath: f.repo, worktreePath: other.path })).toEqual(
    [],
  )
})

// `setpriv` takes from root what reads every file: it is Linux's, and takes nothing from anybody else
test.skipIf(process.getuid?.() !== 0 || process.platform !== 'linux')(
  'of dependencies what cannot be read is not copied, and keeps nobody from the rest',
  async () => {
    f.commit({ 'package-lock.json': '{}' })
    f.write('node_modules/dep/index.js', 'host')
    f.write('node_modules/.cache/of-a-container', 'x')
    chmodSync(join(f.repo, 'node_modules/.cache'), 0)
    base = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
    const { path } = await claim('T-1')
    const module = join(import.meta.dirname, 'dependencies.ts')
    const where = JSON.stringify({ repoPath: f.repo, worktreePath: path })
    const script = `const { provisionDependencies } = await import(${JSON.stringify(module)})
      console.log(JSON.stringify(await provisionDependencies(${where})))`
    // as root every file can be read
    const drop = ['--bounding-set=-dac_override,-dac_read_search', '--', process.execPath]
    const node = [...drop, '--import', 'tsx', '--input-type=module', '-e', script]
    expect(execFileSync('setpriv', node).toString()).toBe('["node_modules"]\n')
    expect(readdirSync(join(path, 'node_modules')).sort()).toEqual(['.gitignore', 'dep'])
  },
)

test('what only the person ignores, and what was copied from them, is in no commit', async () => {
  f.commit({ '.gitignore': '', 'package-lock.json': '{}' })
  f.write('node_modules/dep/index.js', 'host')
  f.write('.git/info/exclude', '/scratch\n!keep.log')
  f.write('.gitconfig', '[core]\n\texcludesFile = ~/ignored\n', f.folder)
  f.write('ignored', '*.log\n', f.folder)
  f.write('other.log', '')
  expect(await f.git.inspectRepository(f.repo)).toMatchObject({ dirtyFiles: 1 }) // node_modules
  base = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const { path } = await claim('T-1')
  await f.git.provisionDependencies({ repoPath: f.repo, worktreePath: path })
  for (const file of ['scratch/x', 'debug.log', 'keep.log', 'new.txt']) f.write(file, 'x', path)
  // an agent that commits itself takes in no more
  expect(f.sh(['status', '--porcelain'], path)).toBe('?? keep.log\n?? new.txt')
  const at = { projectId, worktreePath: path }
  const { files, head, leftOut } = await f.git.commitAll({ ...at, message: 'm', trailers: {} })
  expect(files).toEqual(['keep.log', 'new.txt'])
  // it is told, and saved before the worktree goes
  expect(leftOut).toEqual(['debug.log', 'scratch/x'])
  const { salvaged } = await f.git.releaseWorktree({ projectId, key: 'T-1' })
  const saved = ['diff-tree', '-r', '--name-only', head, salvaged?.ref ?? '']
  expect(f.sh(['--git-dir', clean(), ...saved])).toBe('debug.log\nscratch/x')
})

test('a repository that an agent made in its worktree is in no commit: that is told, and its files are saved', async () => {
  const { path } = await claim('T-1')
  const nested = join(path, 'web app')
  f.write('.gitignore', 'dist\n', nested)
  f.write('src/index.ts', 'work', nested)
  f.write('dist/out.js', 'built', nested)
  f.write('node_modules/dep/index.js', 'dep', nested)
  f.sh(['init', '-q'], nested)
  f.sh(['add', 'src'], nested)
  f.sh(['commit', '-q', '-m', 'by the agent'], nested)
  f.write('deep/er.txt', 'more', nested)
  f.sh(['init', '-q'], join(nested, 'deep'))
  const at = { projectId, worktreePath: path }
  const { head, leftOut } = await f.git.commitAll({ ...at, message: 'm', trailers: {} })
  expect([head, leftOut]).toEqual([base, ['web app/']])
  const { salvaged } = await f.git.releaseWorktree({ projectId, key: 'T-1', dropBranch: true })
  const saved = ['diff-tree', '-r', '--name-only', base, salvaged?.ref ?? '']
  expect(f.sh(['--git-dir', clean(), ...saved]).split('\n')).toEqual(
    ['.gitignore', 'deep/er.txt', 'src/index.ts'].map((name) => `web app/${name}`),
  )
})

test('of what is in no commit a mass is not saved: its worktree stays, and is told, until a person has seen to it', async () => {
  f.write('.git/info/exclude', '*.log\n')
  base = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const [many, large] = [await claim('T-1'), await claim('T-2')]
  for (let n = 1000; n <= 2000; n++) f.write(`a${n}.log`, 'x', many.path)
  f.write('huge.log', '', large.path)
  truncateSync(join(large.path, 'huge.log'), 50_000_001)
  const saved: string[] = []
  const onSalvaged = async ({ ref }: { ref: string }) => void saved.push(ref)
  const release = (key: string) =>
    f.git.releaseWorktree({ projectId, key, dropBranch: true, onSalvaged })
  const why =
    /^Too many or too large to be saved, and named by no \.gitignore of the project: (.*?)\. /
  await expect(release('T-1')).rejects.toThrow(/: a2000\.log\. Copy what you need/)
  await expect(release('T-2')).rejects.toThrow(why)
  await f.git.idle()
  const list = f.sh(['--git-dir', clean(), 'ls-tree', '--name-only', saved[0] ?? ''])
  expect([saved.length, list.split('\n').length]).toEqual([1, 1003])
  expect([
    existsSync(join(many.path, 'a2000.log')),
    existsSync(join(large.path, 'huge.log')),
  ]).toEqual([true, true])
  const repair = async () => (await f.git.repair({ projectId, liveKeys: [] })).join('\n')
  expect(await repair()).toMatch(
    /^the worktree \S+ of T-2 is kept: Too many or too large.* huge\.log\. Copy/m,
  )
  for (const name of [join(many.path, 'a2000.log'), join(large.path, 'huge.log')]) rmSync(name)
  expect(await repair()).toMatch(/^released the worktree \S+ of T-2$/m)
})

test('of a repository that an agent made all is saved, also where a kill left what was known of another one', async () => {
  const { path } = await claim('T-1')
  f.write('app/a.txt', 'precious', path)
  f.sh(['init', '-q'], join(path, 'app'))
  f.sh(['--git-dir', clean(), 'read-tree', `--index-output=${path}.inside-index`, base])
  const { salvaged } = await f.git.releaseWorktree({ projectId, key: 'T-1', dropBranch: true })
  expect(f.sh(['--git-dir', clean(), 'show', `${salvaged?.ref}:app/a.txt`])).toBe('precious')
})

test('a repository that an agent committed as a link is told, and its files are saved', async () => {
  const { path } = await claim('T-1')
  const nested = join(path, 'lib')
  f.write('src/index.ts', 'work', nested)
  f.sh(['init', '-q'], nested)
  f.sh(['add', '.'], nested)
  f.sh(['commit', '-q', '-m', 'by the agent'], nested)
  f.sh(['-c', 'advice.addEmbeddedRepo=false', 'add', 'lib'], path)
  f.sh(['commit', '-q', '-m', 'by the agent'], path)
  const commit = { projectId, worktreePath: path, message: 'm', trailers: {} }
  const { head, leftOut } = await f.git.commitAll(commit)
  expect(leftOut).toEqual(['lib/'])
  await f.git.publish({ projectId, key: 'T-1', head })
  const { salvaged } = await f.git.releaseWorktree({ projectId, key: 'T-1', dropBranch: true })
  expect(f.sh(['--git-dir', clean(), 'show', `${salvaged?.ref}:lib/src/index.ts`])).toBe('work')
})

test('what an agent changed in a submodule is told and saved; one that it only fetched is no work, and nothing of either is in the next worktree', async () => {
  const library = join(f.folder, 'library')
  f.write('lib.ts', 'as it was', library)
  for (const name of ['other.ts', 'in/a.ts']) f.write(name, 'as it was', library)
  f.sh(['init', '-q', '-b', 'main'], library)
  f.sh(['add', '.'], library)
  f.sh(['commit', '-q', '-m', 'library'], library)
  const fetching = ['-c', 'protocol.file.allow=always', 'submodule']
  f.sh([...fetching, 'add', '-q', library, 'lib'])
  f.sh(['commit', '-q', '-m', 'a submodule'])
  base = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const claimed = async (key: string) => {
    const { path } = await claim(key)
    expect(readdirSync(join(path, 'lib'))).toEqual([])
    f.sh([...fetching, 'update', '-q', '--init'], path)
    return path
  }
  const release = async (key: string, path: string) => {
    const at = { projectId, worktreePath: path }
    const { leftOut } = await f.git.commitAll({ ...at, message: 'm', trailers: {} })
    const { salvaged } = await f.git.releaseWorktree({ projectId, key, dropBranch: true })
    await f.git.idle()
    return { leftOut, ref: salvaged?.ref }
  }
  expect(await release('T-1', await claimed('T-1'))).toEqual({ leftOut: [], ref: undefined })
  const path = await claimed('T-2')
  f.write('lib.ts', 'changed by the agent', join(path, 'lib'))
  f.sh(['commit', '-q', '-a', '-m', 'by the agent'], join(path, 'lib'))
  f.write('new.ts', 'new', join(path, 'lib'))
  renameSync(join(path, 'lib/in'), join(path, 'lib/moved'))
  f.write('lib/moved/a.ts', 'changed', path)
  symlinkSync('moved', join(path, 'lib/in'))
  const { leftOut, ref } = await release('T-2', path)
  expect(leftOut).toEqual(['lib/'])
  const saved = f.sh(['--git-dir', clean(), 'ls-tree', '-r', '--name-only', ref ?? '', 'lib'])
  expect(saved).toBe('lib/in\nlib/lib.ts\nlib/moved/a.ts\nlib/new.ts')
  await claimed('T-3')
})

test.each([
  ['with the files of the old one, changed, behind it', { 'moved/b.txt': 'changed\n' }],
  ['with nothing of the old one behind it', { 'moved/c.txt': 'new\n' }],
])(
  'a link in the place of a folder is committed as one, and nothing behind it (%s)',
  async (_, files: Record<string, string>) => {
    const { path } = await claim('T-1')
    rmSync(join(path, 'src'), { recursive: true })
    for (const [name, content] of Object.entries(files)) f.write(name, content, path)
    symlinkSync('moved', join(path, 'src'))
    const commit = { projectId, worktreePath: path, message: 'm', trailers: {} }
    const changed = [...Object.keys(files), 'src', 'src/b.txt']
    expect((await f.git.commitAll(commit)).files).toEqual(changed)
    expect(f.sh(['status', '--porcelain'], path)).toBe('')
  },
)

test('work in files that git was told not to look at is committed; what a sparse checkout leaves out is no deletion', async () => {
  const { path } = await claim('T-1')
  f.sh(['update-index', '--assume-unchanged', 'a.txt', '.gitignore'], path)
  f.sh(['update-index', '--skip-worktree', 'src/b.txt', '.gitignore'], path)
  f.write('a.txt', 'work\n', path)
  f.write('.gitignore', 'work\n', path)
  rmSync(join(path, 'src/b.txt'))
  const commit = { projectId, worktreePath: path, message: 'm', trailers: {} }
  expect((await f.git.commitAll(commit)).files).toEqual(['.gitignore', 'a.txt'])
})

test.skipIf(!canBeRefused)(
  'files that git cannot read are made readable, and folders before the worktree goes',
  async () => {
    const { path } = await claim('T-1')
    for (const name of ['a.txt', 'new.txt', 'locked/more.txt']) f.write(name, 'work', path)
    for (const name of ['a.txt', 'locked']) chmodSync(join(path, name), 0)
    const git = f.unprivileged()
    const commit = { projectId, worktreePath: path, message: 'm', trailers: {} }
    // as `git add` does: what is in it may be a database's
    const done = { files: ['a.txt', 'new.txt'], closed: ['locked/'] }
    expect(await git.commitAll(commit)).toMatchObject(done)
    const { salvaged } = await git.releaseWorktree({ projectId, key: 'T-1', dropBranch: true })
    const show = ['--git-dir', clean(), 'show', '--format=%B', '--name-only', salvaged?.ref ?? '']
    expect(f.sh(show)).toBe('Salvage of T-1\n\n\nlocked/more.txt')
  },
)

// only root can give a file to another user
test.skipIf(!canBeRefused || process.getuid?.() !== 0)(
  'files of another user are named and stay where they are, and keep nothing else from being saved',
  async () => {
    const { path } = await claim('T-1')
    for (const name of ['a.txt', 'new.txt', 'data/db']) f.write(name, 'work', path)
    for (const name of ['a.txt', 'data']) {
      chownSync(join(path, name), 65534, 65534)
      chmodSync(join(path, name), 0o700)
    }
    const git = f.unprivileged()
    const commit = git.commitAll({ projectId, worktreePath: path, message: 'm', trailers: {} })
    await expect(commit).rejects.toThrow(/^Git cannot read a\.txt\. Make it readable/)
    const saved: string[] = []
    const onSalvaged = async ({ ref }: { ref: string }) => void saved.push(ref)
    const release = git.releaseWorktree({ projectId, key: 'T-1', dropBranch: true, onSalvaged })
    await expect(release).rejects.toThrow(/^Git cannot read a\.txt, data\/\. Copy what you need/)
    const show = ['--git-dir', clean(), 'show', '--format=%B', '--name-only', saved[0] ?? '']
    expect(f.sh(show)).toBe('Salvage of T-1\n\n\nnew.txt')
    expect(existsSync(join(path, 'data'))).toBe(true)
  },
)

test('what an agent left in git stash, which all worktrees share, is saved with its own worktree and no other', async () => {
  const [one, two] = [await claim('T-1'), await claim('T-10')]
  const stash = (path: string, name: string, ...how: string[]) => {
    f.write(name, 'hours of work', path)
    f.sh(['stash', 'push', '-q', '-u', ...how], path)
  }
  stash(one.path, 'a.txt')
  stash(two.path, 'src/b.txt')
  stash(one.path, 'new.txt', '-m', 'try without it')
  const { salvaged } = await f.git.releaseWorktree({ projectId, key: 'T-1', dropBranch: true })
  const saved = (spec: string) => f.sh(['--git-dir', clean(), 'show', `${salvaged?.ref}${spec}`])
  expect([saved('^2^3:new.txt'), saved('^3:a.txt')]).toEqual(['hours of work', 'hours of work'])
  expect(f.sh(['stash', 'list'], two.path)).toMatch(/^stash@\{0\}: WIP on dispatch\/T-10: .*$/)
  f.sh(['stash', 'pop', '-q'], two.path)
  expect(readFileSync(join(two.path, 'src/b.txt'), 'utf8')).toBe('hours of work')
})

test('what an agent stashes in the moment in which the stash of another is dropped stays in the list', async () => {
  const [one, two] = [await claim('T-1'), await claim('T-2')]
  f.write('one.txt', 'saved', one.path)
  f.sh(['stash', 'push', '-q', '-u'], one.path)
  f.write('two.txt', 'hours of work', two.path)
  const bin = join(f.folder, 'bin')
  const agent = `[ -e ${bin}/done ] || { touch ${bin}/done; env -i PATH=/usr/bin:/bin git -C '${two.path}' -c user.name=A -c user.email=a@b stash push -q -u; }`
  f.write(
    'git',
    `#!/bin/sh\ncase " $* " in *" stash drop "*) ${agent};; esac\nexec /usr/bin/env PATH=/usr/bin:/bin git "$@"\n`,
    bin,
  )
  chmodSync(join(bin, 'git'), 0o700)
  const other = createGit({ home: f.home, path: `${bin}:/usr/bin:/bin` })
  await other.releaseWorktree({ projectId, key: 'T-1', dropBranch: true })
  await other.idle()
  other.close()
  f.sh(['stash', 'pop', '-q'], two.path)
  expect(readFileSync(join(two.path, 'two.txt'), 'utf8')).toBe('hours of work')
})

test('a branch whose worktree was given back goes on from what was published of it', async () => {
  const { path } = await claim('T-1')
  f.write('new.txt', 'work', path)
  const commit = { projectId, worktreePath: path, message: 'work', trailers: {} }
  const { head } = await f.git.commitAll(commit)
  await f.git.publish({ projectId, key: 'T-1', head })
  await f.git.releaseWorktree({ projectId, key: 'T-1', dropBranch: true })
  const again = await claim('T-1')
  expect(again.head).toBe(head)
  expect(readFileSync(join(again.path, 'new.txt'), 'utf8')).toBe('work')
})

test('work that was saved is told before the claim goes, and again when that was cut off', async () => {
  const { path } = await claim('T-1')
  f.write('half-done.txt', 'precious', path)
  const told: string[] = []
  const release = (then: () => void) =>
    f.git.releaseWorktree({
      ...{ projectId, key: 'T-1', dropBranch: true },
      onSalvaged: async ({ ref }) => {
        told.push(ref)
        then()
      },
    })
  const cut = () => {
    throw new Error('cut off')
  }
  await expect(release(cut)).rejects.toThrow('cut off')
  await release(() => undefined)
  expect(told).toEqual(['refs/dispatch/salvage/T-1', 'refs/dispatch/salvage/T-1'])
})

test('a worktree that another process gave back and handed out meanwhile is left alone', async () => {
  const { path } = await claim('T-1')
  f.write('half-done.txt', 'precious', path)
  const doctor = createGit({ home: f.home })
  await doctor.releaseWorktree({
    ...{ projectId, key: 'T-1', dropBranch: true },
    onSalvaged: async () => {
      await f.git.releaseWorktree({ projectId, key: 'T-1', dropBranch: true })
      await f.git.idle()
      const next = await claim('T-2')
      expect(next.path).toBe(path)
      f.write('new.txt', 'hours of work', path)
    },
  })
  await doctor.idle()
  doctor.close()
  expect(readFileSync(join(path, 'new.txt'), 'utf8')).toBe('hours of work')
  expect((await claim('T-2')).path).toBe(path)
})

test('a worktree that is being cleaned is not taken for an incomplete one', async () => {
  const { path } = await claim('T-1')
  const bin = join(f.folder, 'bin')
  // git clean waits for somebody to write to the pipe
  f.write(
    'git',
    `#!/bin/sh\ncase " $* " in *" clean "*) read line < ${bin}/pipe;; esac\nexec /usr/bin/env PATH=/usr/bin:/bin git "$@"\n`,
    bin,
  )
  chmodSync(join(bin, 'git'), 0o700)
  execFileSync('mkfifo', [join(bin, 'pipe')])
  const worker = createGit({ home: f.home, path: `${bin}:/usr/bin:/bin` })
  await worker.releaseWorktree({ projectId, key: 'T-1', dropBranch: true })
  expect(await f.git.scan({ projectId, liveKeys: [] })).toMatchObject({
    ...{ brokenSlots: [], orphanWorktrees: [] },
  })
  await writeFile(join(bin, 'pipe'), '\n')
  await worker.idle()
  worker.close()
  expect((await claim('T-2')).path).toBe(path)
})

test.each([
  ['a process', () => spawnSync('true').pid],
  ['one that had the id that this one has, as in a container,', () => process.pid],
])('what %s was cleaning when it was killed is gone after one repair', async (_, idOf) => {
  const { path } = await claim('T-1')
  const hold = { slot: basename(path), key: `warm ${basename(path)}`, branch: '', base: '' }
  const claimed = { ...hold, pid: idOf(), active: false, at: '2020-02-02T00:00:00.000Z' }
  writeFileSync(`${path}.claim.json`, JSON.stringify(claimed))
  rmSync(`${path}.slot.json`)
  await f.git.repair({ projectId, liveKeys: [] })
  expect(existsSync(path)).toBe(false)
  expect((await f.git.scan({ projectId, liveKeys: [] })).brokenSlots).toEqual([])
})

test.each([
  ['empty', ''],
  ['of bytes that never reached the disk', '\0'.repeat(180)],
])(
  'a claim that a crash cut short (%s) keeps its worktree from nobody after one repair',
  async (_what, content) => {
    await f.git.warm({ projectId, base, slots: 1 })
    const folder = join(f.home, 'worktrees', projectId)
    const [slot] = readdirSync(folder).filter((name) => /^s-[0-9a-f]+$/.test(name))
    for (const name of [slot, 's-0a']) writeFileSync(join(folder, `${name}.claim.json`), content)
    const first = await claim('T-1') // nobody else is kept from working
    expect(first.path).not.toBe(join(folder, `${slot}`))
    const input = { projectId, liveKeys: ['T-1'] }
    expect((await f.git.scan(input)).brokenSlots.sort()).toEqual([slot, 's-0a'].sort())
    expect(await f.git.repair(input)).toHaveLength(2)
    expect(readdirSync(folder).filter((name) => name.includes('claim'))).toHaveLength(1)
    expect((await claim('T-2')).path).toBe(join(folder, `${slot}`))
  },
)

test('of a worktree for looking what is ignored is not saved', async () => {
  f.write('.git/info/exclude', '*.log')
  base = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const { path } = await claim('T-1')
  f.write('debug.log', 'x', path)
  const release = { projectId, key: 'T-1', scratch: true }
  expect(await f.git.releaseWorktree(release)).toEqual({ salvaged: undefined })
})

test('of the files of the machine only those are read that the person named, and no pattern in part', async () => {
  const secret = join(f.folder, 'secret')
  f.write('secret', 'password', f.folder)
  f.sh(['config', 'core.excludesFile', secret])
  rmSync(join(f.repo, '.git/info/exclude'), { force: true })
  symlinkSync(secret, join(f.repo, '.git/info/exclude'))
  f.write('.config/git/ignore', `${'#\n'.repeat(499_999)}*.log\n`, f.folder)
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  for (const hub of [clean(), join(f.home, 'hubs', projectId, 'sandbox.git')]) {
    const read = readFileSync(join(hub, 'info/exclude'), 'utf8')
    expect(read).toBe('#\n'.repeat(499_999))
  }
  expect(await f.git.inspectRepository(f.repo)).toMatchObject({ dirtyFiles: 0 })
})

const sandbox = () => join(f.home, 'hubs', projectId, 'sandbox.git')
test.each([
  ['sandbox hub', sandbox],
  ['HEAD of the sandbox hub', () => join(sandbox(), 'HEAD')],
  ['refs of the sandbox hub', () => join(sandbox(), 'refs')],
  ['objects of the sandbox hub', () => join(sandbox(), 'objects')],
  ['folder in it of every worktree', () => join(sandbox(), 'worktrees')],
])(
  'an agent that deletes the %s ends no project: it is made again, and the files are kept',
  async (what, where) => {
    f.commit({ 'tracked.log': 'tracked and ignored\n', '.gitignore': '*.txt\n' })
    base = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
    await f.git.warm({ projectId, base, slots: 3 })
    const { path } = await claim('T-1')
    const given = await claim('T-2')
    f.write('published.md', 'published', path)
    const commit = { projectId, worktreePath: path, message: 'work', trailers: {} }
    const { head } = await f.git.commitAll(commit)
    await f.git.publish({ projectId, key: 'T-1', head })
    f.write('committed.md', 'committed', path)
    f.sh(['add', '.'], path)
    f.sh(['commit', '-q', '-m', 'by the agent'], path)
    f.write('half-done.md', 'half-done', path)
    f.write('saved.md', 'saved', given.path)
    rmSync(where(), { recursive: true })
    // the attempt under way, and one that goes on
    const made = await f.git.commitAll(commit)
    expect(made.files).toEqual(['committed.md', 'half-done.md', 'published.md'])
    expect((await f.git.publish({ projectId, key: 'T-1', head: made.head })).head).toBe(made.head)
    f.sh(['--git-dir', clean(), 'merge-base', '--is-ancestor', head, made.head])
    expect(await claim('T-1')).toEqual({ path, head: made.head })
    expect(f.sh(['status', '--porcelain', '-b'], path)).toBe('## dispatch/T-1')
    // one that is given back, a warm one and a new one
    const { salvaged } = await f.git.releaseWorktree({ projectId, key: 'T-2', dropBranch: true })
    const saved = ['diff-tree', '-r', '--name-only', base, salvaged?.ref ?? '']
    expect(f.sh(['--git-dir', clean(), ...saved])).toBe('saved.md')
    await f.git.idle()
    for (const key of ['T-3', 'T-4', 'T-5']) {
      const next = await claim(key)
      expect(f.sh(['status', '--porcelain', '-b'], next.path)).toBe(`## dispatch/${key}`)
    }
    if (!what.startsWith('folder')) expect(f.tampered).not.toEqual([])
  },
  20_000,
)

test('an agent whose worktree lost its hub goes on in it with the next attempt', async () => {
  const { path } = await claim('T-1')
  f.write('half-done.md', 'x', path)
  rmSync(sandbox(), { recursive: true })
  expect(await claim('T-1')).toEqual({ path, head: base })
  expect(f.sh(['status', '--porcelain', '-b'], path)).toBe('## dispatch/T-1\n?? half-done.md')
})

test('with the hubs of a project gone, an old goal is told to be filed again, and that works', async () => {
  rmSync(join(f.home, 'hubs', projectId), { recursive: true })
  await expect(claim('T-1')).rejects.toThrow(/own copy .* is gone.*dispatch goal "<text>"/)
  const old = base
  f.sh(['commit', '-q', '--amend', '-m', 'written anew'])
  base = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  expect((await claim('T-2')).head).toBe(base)
  const ofOld = f.git.claimWorktree({ projectId, key: 'T-3', base: old, branch: 'dispatch/T-3' })
  await expect(ofOld).rejects.toThrow(/own copy .* was made anew since.*dispatch goal "<text>"/)
})

test('an agent that deletes what the sandbox hub is compared with changes it no more unseen than before', async () => {
  const { path } = await claim('T-1')
  const config = readFileSync(join(sandbox(), 'config'), 'utf8')
  rmSync(join(f.home, 'hubs', projectId, 'sandbox.config'))
  f.sh(['config', 'core.fsmonitor', './watch'], path)
  await claim('T-1')
  expect(f.tampered).toEqual(['config'])
  expect(readFileSync(join(sandbox(), 'config'), 'utf8')).toBe(config)
  expect(readFileSync(join(f.home, 'hubs', projectId, 'sandbox.config'), 'utf8')).toBe(config)
})

test('doctor finds a sandbox hub that is broken, and makes it again', async () => {
  const { path } = await claim('T-1')
  f.write('half-done.md', 'x', path)
  rmSync(join(sandbox(), 'objects'), { recursive: true })
  rmSync(join(sandbox(), 'HEAD'))
  const found = await f.git.scan({ projectId, liveKeys: [] })
  expect(found.orphanWorktrees.map((o) => o.key)).toEqual(['T-1'])
  expect(f.tampered).toEqual(['objects/info/alternates', 'HEAD', 'objects'])
  const done = await f.git.repair({ projectId, liveKeys: [] })
  expect(done.join('\n')).toContain('its work is in refs/dispatch/salvage/T-1')
})

test('doctor finds what is left over, saves work and clears it', async () => {
  const { path } = await claim('T-1')
  await claim('T-2')
  f.write('half.txt', 'x', path)
  const lock = join(f.home, 'hubs', projectId, 'sandbox.git', 'packed-refs.lock')
  writeFileSync(lock, '')
  const pack = (name: string) => join(clean(), 'objects/pack', name)
  const [killed, atWork] = [pack('tmp_pack_a'), pack('tmp_pack_b')]
  for (const unfinished of [killed, atWork]) writeFileSync(unfinished, 'PACK')
  const before = new Date(Date.now() - 7_200_000)
  utimesSync(killed, before, before)
  const input = { projectId, liveKeys: ['T-2'] }
  const found = await f.git.scan(input)
  expect(found.orphanWorktrees.map((o) => o.key)).toEqual(['T-1'])
  expect([found.locks, found.unfinishedPacks]).toEqual([[lock], [killed]])
  const done = await f.git.repair(input)
  expect(done.join('\n')).toMatch(
    /released the worktree .* its work is in refs\/dispatch\/salvage\/T-1/,
  )
  await f.git.idle()
  const after = await f.git.scan(input)
  expect({ ...after, salvage: after.salvage.length }).toEqual({
    orphanWorktrees: [],
    brokenSlots: [],
    orphanBranches: [],
    locks: [],
    unfinishedPacks: [],
    salvage: 1,
  })
  expect([existsSync(killed), existsSync(atWork)]).toEqual([false, true])
})

test('a worktree that cannot be given back, and files that cannot be deleted, keep nothing else from being cleared', async () => {
  const [bad, locked] = [await claim('T-1'), await claim('T-2')]
  f.write('.gitmodules', '[submodule "x"]\n\tpath = x\n\turl = -u./payload\n', bad.path)
  f.write('ignored/of-a-container', 'x', locked.path)
  const undo = undeletable(join(locked.path, 'ignored/of-a-container'))
  try {
    await f.git.releaseWorktree({ projectId, key: 'T-2', dropBranch: true })
    await f.git.idle()
    const { path } = await claim('T-3')
    const done = (await f.git.repair({ projectId, liveKeys: [] })).join('\n')
    expect(done).toMatch(/^the worktree .* of T-1 is kept: Commit .* was refused/m)
    expect(done).toContain(`released the worktree ${path} of T-3`)
    if (undo) expect(done).toMatch(/\.trash\/\w+ cannot be deleted: E/)
  } finally {
    undo?.()
  }
})

/** Makes a file one that nobody here can delete, where that can be made; returns what undoes it. */
function undeletable(path: string): (() => void) | undefined {
  const isRoot = process.getuid?.() === 0
  const quiet = { stdio: 'ignore' } as const
  try {
    if (isRoot) execFileSync('chattr', ['+i', path], quiet)
    else chmodSync(dirname(path), 0o500)
  } catch {
    return undefined
  }
  const [command, ...how] = isRoot ? ['chattr', '-R', '-f', '-i'] : ['chmod', '-R', 'u+rwX']
  return () => void spawnSync(command ?? '', [...how, f.home], quiet)
}

test('a lock left by a killed git is cleared, one whose owner lives is waited for', async () => {
  const { path } = await claim('T-1')
  const admin = join(
    f.home,
    'hubs',
    projectId,
    'sandbox.git',
    'worktrees',
    path.split('/').at(-1) ?? '',
  )
  writeFileSync(join(admin, 'index.lock'), '')
  writeFileSync(join(admin, '..', '..', 'refs', 'heads', 'dispatch', 'T-1.lock'), '')
  f.write('a.txt', 'edited\n', path)
  const commit = () =>
    f.git.commitAll({ projectId, worktreePath: path, message: 'm', trailers: {} })
  expect((await commit()).files).toEqual(['a.txt'])
  writeFileSync(join(admin, 'index.lock'), '')
  f.write('a.txt', 'again\n', path)
  const owner = spawn('git', ['cat-file', '--batch'], {
    cwd: path,
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  try {
    owner.stdin.write('HEAD\n')
    await new Promise((seen) => owner.stdout.once('data', seen))
    await expect(commit()).rejects.toThrow(/Another git process holds .*index\.lock/)
    expect(existsSync(join(admin, 'index.lock'))).toBe(true)
  } finally {
    const gone = new Promise((done) => owner.once('close', done))
    owner.kill('SIGKILL')
    await gone
  }
  expect((await commit()).committed).toBe(true)
})

test('files that attributes would store in another form are in no commit of an agent that did not write them', async () => {
  const odd = 'with "quotes"\n and ends.bat'
  f.commit({
    'old.bat': 'one\r\ntwo\r\n',
    [odd]: 'x\r\n',
    'run.bat': 'r\r\n',
  })
  f.write('.gitattributes', '*.bat text eol=crlf\n')
  f.sh(['add', '.gitattributes'])
  f.sh(['commit', '-q', '-m', 'attributes'])
  base = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const { path } = await claim('T-1')
  f.write('a.js', 'by the agent\n', path)
  f.write('b/__init__.py', '', path)
  f.sh(['add', '-N', '.'], path)
  // git looks into a file only where it may have been written
  for (const name of ['old.bat', odd, 'run.bat']) utimesSync(join(path, name), 1, 1)
  const { files } = await f.git.commitAll({
    ...{ projectId, worktreePath: path, message: 'm', trailers: {} },
  })
  expect(files).toEqual(['a.js', 'b/__init__.py'])
  f.write('old.bat', 'one\r\nthree\r\n', path)
  chmodSync(join(path, 'run.bat'), 0o755)
  const next = await f.git.commitAll({
    ...{ projectId, worktreePath: path, message: 'm', trailers: {} },
  })
  expect(next.files).toEqual(['a.js', 'b/__init__.py', 'old.bat', 'run.bat'])
})

test('LFS pointers and submodules are carried as they are', async () => {
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 5\n'
  f.commit({ '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n', 'big.bin': pointer })
  f.sh(['update-index', '--add', '--cacheinfo', `160000,${base},sub`])
  f.write('.gitmodules', '[submodule "sub"]\n\tpath = sub\n\turl = ./sub\n')
  f.sh(['add', '.gitmodules'])
  f.sh(['commit', '-q', '-m', 'submodule'])
  base = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const { path } = await claim('T-1')
  expect(readFileSync(join(path, 'big.bin'), 'utf8')).toBe(pointer)
  f.write('a.txt', 'edited\n', path)
  const { head, files } = await f.git.commitAll({
    projectId,
    worktreePath: path,
    message: 'm',
    trailers: {},
  })
  expect(files).toEqual(['a.txt'])
  expect(f.sh(['ls-tree', head, 'sub'], path)).toBe(
    `160000 commit ${base.length ? f.sh(['rev-parse', 'HEAD:sub']) : ''}\tsub`,
  )
  rmSync(join(path, 'sub'), { recursive: true })
  const removed = { projectId, worktreePath: path, message: 'm', trailers: {} }
  expect((await f.git.commitAll(removed)).files).toEqual(['a.txt', 'sub'])
})

test('a branch beside one that is a part of its name is refused in words', async () => {
  await claim('T-1')
  await expect(
    f.git.claimWorktree({ projectId, key: 'T-9', base, branch: 'dispatch/T-1/more' }),
  ).rejects.toThrow(/cannot be created beside .* Rename or delete/)
})

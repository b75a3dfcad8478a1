import {
  chmodSync,
  chownSync,
  mkdirSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createFixture, type Fixture } from './fixture.ts'
import { validateBranchName } from './refs.ts'

let f: Fixture
afterEach(() => f.remove())

async function problem(path: string, target?: string) {
  const choice = target === undefined ? {} : { target }
  const error = await f.git.inspectRepository(path, choice).catch((caught) => caught)
  return `${error.code}: ${error.message}`
}

test('a good repository, with everything a person may have in it', async () => {
  f = createFixture()
  const sha = f.commit({
    'a.txt': 'x',
    '.gitattributes': '*.bin filter=lfs diff=lfs\n',
    '.gitmodules': '',
  })
  f.write('a.txt', 'changed')
  f.write('new.txt', 'new')
  f.sh(['branch', 'release/1'])
  expect(await f.git.inspectRepository(f.repo, { target: 'release/1' })).toEqual({
    root: f.repo,
    commonDir: join(f.repo, '.git'),
    head: { branch: 'main', sha },
    defaultBranch: 'main',
    dirtyFiles: 2,
    submodules: true,
    lfs: true,
    filters: [],
    shallow: false,
  })
  f.write('folder/inside.txt', 'x')
  expect((await f.git.inspectRepository(`${f.repo}/./folder/`)).root).toBe(f.repo)
})

test.each([
  ['spaces and quotes', 'it\'s "a" repo'],
  ['a newline', 'two\nlines'],
  ['a colon and a backslash', 'a:b\\c'],
  ['unicode', 'žluťoučký 仕事 🐎'],
  ['an option', '--upload-pack=x'],
  ['a dollar', '$(touch canary)'],
])('a path with %s works from import to merge', async (_what, name) => {
  f = createFixture(name)
  const base = f.commit({ 'a.txt': 'x', 'wéird "ñame"\n.txt': 'y' })
  expect(await f.git.inspectRepository(f.repo)).toMatchObject({ root: f.repo, dirtyFiles: 0 })
  const projectId = 'p1'
  expect(await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })).toBe(base)
  const { path } = await f.git.claimWorktree({
    projectId,
    key: 'T-1',
    base,
    branch: 'dispatch/T-1',
  })
  f.write('wéird "ñame"\n.txt', 'z', path)
  const made = await f.git.commitAll({ projectId, worktreePath: path, message: 'm', trailers: {} })
  expect(made.files).toEqual(['wéird "ñame"\n.txt'])
  await f.git.publish({ projectId, head: made.head, key: 'T-1' })
  const { hash } = await f.git.diff({ projectId, base, head: made.head })
  const merged = await f.git.mergeGoal({
    projectId,
    repoPath: f.repo,
    target: 'main',
    goalHead: made.head,
    began: base,
    approved: { base, hash },
    message: 'Merge',
    trailers: {},
    mergeKey: 'k',
    intent: {
      load: async () => undefined,
      begin: async () => true,
      save: async () => undefined,
    },
  })
  expect(merged).toMatchObject({ outcome: 'merged' })
  expect(f.sh(['status', '--porcelain'])).toBe('')
})

test('every path that cannot be a project says why and what to do', async () => {
  f = createFixture()
  mkdirSync(join(f.folder, 'plain'))
  symlinkSync(join(f.folder, 'loop'), join(f.folder, 'loop'))
  writeFileSync(join(f.folder, 'file'), '')
  f.sh(['init', '-q', '--bare', join(f.folder, 'bare.git')])
  expect(await problem('')).toMatch(/^bad_path: .*full path/)
  expect(await problem('relative/path')).toMatch(/^bad_path/)
  expect(await problem('~/code')).toMatch(/^bad_path/)
  expect(await problem('/tmp/a\0b')).toMatch(/^bad_path/)
  expect(await problem(join(f.folder, 'missing'))).toMatch(/^not_found: .*clone/)
  expect(await problem(join(f.folder, 'loop'))).toMatch(/^not_found: .*loop/)
  expect(await problem(join(f.folder, 'file'))).toMatch(/^not_a_directory/)
  expect(await problem(join(f.folder, 'plain'))).toMatch(/^not_a_repository: .*git init/)
  expect(await problem(join(f.folder, 'bare.git'))).toMatch(/^bare_repository: .*Clone it/)
  f.sh(['init', '-q', '--bare', join(f.folder, 'beside/.bare')])
  writeFileSync(join(f.folder, 'beside/.git'), 'gitdir: ./.bare\n')
  expect(await problem(join(f.folder, 'beside'))).toMatch(/^bare_repository: .*add a worktree/)
  f.sh(['init', '-q', join(f.folder, 'slip')])
  writeFileSync(join(f.folder, 'slip/.git/config'), '[core\n')
  expect(await problem(join(f.folder, 'slip'))).toMatch(
    /^unreadable: .*slip: bad config line 1 in file \.git\/config\. Mend that, then try again\.$/,
  )
  expect(await problem(join(f.repo, '.git'))).toMatch(/^(bare_repository|not_a_repository)/)
  for (const path of ['/', '/etc', '/proc/self', realpathSync(homedir()), f.home, f.folder])
    expect(await problem(path)).toMatch(/^forbidden_path: .*Choose/)
  expect(await problem(f.repo)).toMatch(/^empty_repository: .*first commit/)
})

test('heads and targets that cannot be merged into', async () => {
  f = createFixture()
  f.commit({ 'a.txt': 'x' })
  f.sh(['tag', 'v1'])
  f.sh(['update-ref', 'refs/remotes/origin/far', 'HEAD'])
  expect(await problem(f.repo, 'nope')).toMatch(
    /^target_missing: .*does not exist.*git branch nope/,
  )
  expect(await problem(f.repo, 'v1')).toMatch(/^target_missing: .*tag/)
  expect(await problem(f.repo, 'far')).toMatch(
    /^target_missing: .*remote.*git branch far origin\/far/,
  )
  expect(await problem(f.repo, '--exec=touch x')).toMatch(/^bad_ref/)
  f.sh(['checkout', '-q', '--detach'])
  expect(await problem(f.repo)).toMatch(/^detached_head: .*name a target/)
  expect(await f.git.inspectRepository(f.repo, { target: 'main' })).toMatchObject({
    head: { branch: undefined },
  })
  f.sh(['checkout', '-q', '--orphan', 'fresh'])
  expect(await problem(f.repo)).toMatch(
    /^unborn_branch: fresh is checked out in .* no commit yet\. .*`git checkout main`.*--branch main/,
  )
  expect(await f.git.inspectRepository(f.repo, { target: 'main' })).toMatchObject({
    ...{ head: { branch: 'fresh', sha: undefined }, defaultBranch: 'main' },
  })
})

test.runIf(process.getuid?.() === 0)("another user's repository is not opened", async () => {
  f = createFixture()
  f.commit({ 'a.txt': 'x' })
  chmodSync(f.folder, 0o755)
  chownSync(f.repo, 12345, 12345)
  chownSync(join(f.repo, '.git'), 12345, 12345)
  expect(await problem(f.repo)).toMatch(/^dubious_ownership: .*owner/)
})

test('a target that gives way to branches below its name is imported, and so are they', async () => {
  f = createFixture()
  const sha = f.commit({ 'a.txt': '1' })
  const bring = (target: string) =>
    f.git.importTarget({ projectId: 'p1', repoPath: f.repo, target })
  f.sh(['branch', 'release'])
  expect(await bring('release')).toBe(sha)
  f.sh(['branch', '-D', 'release'])
  f.sh(['branch', 'release/1.0'])
  expect(await bring('release/1.0')).toBe(sha)
})

test('shallow clones and linked worktrees are carried', async () => {
  f = createFixture()
  f.commit({ 'a.txt': '1' })
  const sha = f.commit({ 'a.txt': '2' })
  const shallow = join(f.folder, 'shallow')
  f.sh(['clone', '-q', '--depth=1', `file://${f.repo}`, shallow])
  expect(await f.git.inspectRepository(shallow)).toMatchObject({ shallow: true })
  expect(await f.git.importTarget({ projectId: 'p2', repoPath: shallow, target: 'main' })).toBe(sha)
  const linked = join(f.folder, 'linked')
  f.sh(['worktree', 'add', '-q', '-b', 'side', linked])
  expect(await f.git.inspectRepository(linked)).toMatchObject({
    root: linked,
    commonDir: join(f.repo, '.git'),
  })
})

test('branch names', () => {
  f = createFixture()
  const bad = [
    '',
    '-x',
    '--upload-pack=..',
    'a..b',
    'a b',
    'a~1',
    '@{-1}',
    'HEAD',
    'refs/heads/x',
    'x.lock',
    'a.lock/b',
    '/x',
    'x/',
    'x//y',
    '@',
    'a\x7f',
    'a\nb',
    'a:b',
    'a\\b',
    'a?',
    'a/.b',
    '.a',
    'a.',
    'a/-b',
    'x'.repeat(1024),
  ]
  for (const name of bad) expect([name, validateBranchName(name)?.code]).toEqual([name, 'bad_ref'])
  for (const name of ['main', 'release/2', 'dispatch/T-31-short-title', 'žluť'])
    expect(validateBranchName(name)).toBeUndefined()
})

test('a partial clone says that its history is not complete', async () => {
  f = createFixture()
  f.commit({ 'a.txt': '1' })
  f.commit({ 'a.txt': '2' })
  f.sh(['config', 'uploadpack.allowFilter', 'true'])
  const partial = join(f.folder, 'partial')
  f.sh(['clone', '-q', '--filter=blob:none', `file://${f.repo}`, partial])
  await expect(
    f.git.importTarget({ projectId: 'p2', repoPath: partial, target: 'main' }),
  ).rejects.toThrow(
    /are missing\. If this is a partial clone, fetch everything first: `git fetch --refetch --no-filter`;/,
  )
  f.sh(['fetch', '-q', '--refetch', '--no-filter'], partial)
  const target = { projectId: 'p2', repoPath: partial, target: 'main' }
  expect(await f.git.importTarget(target)).toBe(f.sh(['rev-parse', 'main']))
})

test('where the repository of a project is gone, the one around it is not taken for it', async () => {
  f = createFixture()
  f.commit({ 'a.txt': 'of nobody who added it' })
  const repoPath = join(f.repo, 'inner')
  mkdirSync(repoPath)
  f.sh(['init', '-q', '-b', 'main'], repoPath)
  f.sh(['commit', '-q', '--allow-empty', '-m', 'inner'], repoPath)
  const head = f.sh(['rev-parse', 'HEAD'], repoPath)
  const fetched = () => f.git.importTarget({ projectId: 'p1', repoPath, target: 'main' })
  expect(await fetched()).toBe(head)
  // its own, then the one around it too
  for (const folder of [repoPath, f.repo]) {
    renameSync(join(folder, '.git'), join(folder, 'elsewhere'))
    for (const look of [fetched, () => f.git.checkTarget(repoPath, 'main')])
      await expect(look()).rejects.toMatchObject({
        code: 'not_a_repository',
        message: `${repoPath} is not a git repository any more. Put the repository back where it was, or mount the disk that it is on.`,
      })
  }
})

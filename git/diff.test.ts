import { chmodSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { filePatches } from './diff.ts'
import { createFixture, type Fixture } from './fixture.ts'

let f: Fixture
const projectId = 'p1'
beforeEach(() => {
  f = createFixture()
})
afterEach(() => f.remove())

async function change(before: Record<string, string | Buffer>, edit: () => void) {
  const base = f.commit(before)
  edit()
  f.sh(['add', '-A'])
  f.sh(['commit', '-q', '-m', 'edit'])
  const head = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  return f.git.diff({ projectId, base, head })
}

test('every kind of entry is typed and counted', async () => {
  const moved = 'line\n'.repeat(50)
  const found = await change(
    {
      'mod.txt': 'a\nb\n',
      'gone.txt': 'x\n',
      'run.sh': '#!\n',
      'old name.txt': moved,
      'becomes-link': 'x\n',
      'pic.bin': Buffer.from([0, 1]),
    },
    () => {
      f.write('mod.txt', 'a\nc\nd\n')
      rmSync(join(f.repo, 'gone.txt'))
      chmodSync(join(f.repo, 'run.sh'), 0o755)
      rmSync(join(f.repo, 'old name.txt'))
      f.write('new "name"\t1.txt', moved)
      rmSync(join(f.repo, 'becomes-link'))
      symlinkSync('/etc/passwd', join(f.repo, 'becomes-link'))
      f.write('pic.bin', Buffer.from([0, 2]))
      f.write('.gitmodules', '')
      f.write('trojan.js', 'ok\nif (admin\u202e) {}\n')
    },
  )
  const by = Object.fromEntries(found.files.map((file) => [file.path, file]))
  expect(by['mod.txt']).toMatchObject({
    status: 'modified',
    additions: 2,
    deletions: 1,
    suspicious: [],
  })
  expect(by['gone.txt']).toMatchObject({ status: 'deleted', deletions: 1 })
  expect(by['run.sh']).toMatchObject({ modeChanged: true, suspicious: ['became executable'] })
  expect(by['new "name"\t1.txt']).toMatchObject({
    status: 'renamed',
    oldPath: 'old name.txt',
    additions: 0,
  })
  expect(by['becomes-link']).toMatchObject({
    status: 'type_changed',
    symlink: true,
    suspicious: expect.arrayContaining(['symbolic link']),
  })
  expect(by['pic.bin']).toMatchObject({ binary: true, suspicious: ['binary file'] })
  expect(by['.gitmodules']?.suspicious).toEqual(['git settings of the repository'])
  expect(by['trojan.js']?.suspicious).toEqual(['U+202E (text direction) in line 2'])
  expect(found.truncated).toBe(false)
  expect(found.hash).toMatch(/^[0-9a-f]{64}$/)
  expect(found.tree).toBe(f.sh(['rev-parse', 'HEAD^{tree}']))
})

test('a huge change is cut in what is shown, never in what is hashed', async () => {
  const big = await change({ 'a.txt': 'x\n' }, () =>
    f.write('big.txt', 'long line of text\n'.repeat(400_000)),
  )
  expect(big).toMatchObject({ truncated: true, files: [{ path: 'big.txt', additions: 400_000 }] })
  expect(big.files[0]?.suspicious).toEqual(['too large to show'])
  f.write('big.txt', `${'long line of text\n'.repeat(399_999)}another end of it\n`)
  f.sh(['commit', '-qa', '--amend', '-m', 'edit'])
  const head = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  expect((await f.git.diff({ projectId, base: big.base, head })).hash).not.toBe(big.hash)
})

test('the same change on a base that moved elsewhere has the same hash', async () => {
  const first = await change({ 'a.txt': 'one\n', 'b.txt': 'x\n' }, () => f.write('a.txt', 'two\n'))
  f.sh(['reset', '-q', '--hard', 'HEAD~1'])
  const second = await change({ 'b.txt': 'moved\n' }, () => f.write('a.txt', 'two\n'))
  expect(second.hash).toBe(first.hash)
})

test('each file gets its own part of the text, whatever the text leaves out', async () => {
  const moved = 'line\n'.repeat(50)
  const base = f.commit({
    'a.txt': 'one\n',
    'become-link': 'x\n',
    'old.txt': moved,
    'space.txt': 'if (x) {\n',
    'z.txt': 'index 000..111\n',
  })
  rmSync(join(f.repo, 'become-link'))
  symlinkSync('a.txt', join(f.repo, 'become-link'))
  rmSync(join(f.repo, 'old.txt'))
  f.write('new.txt', moved)
  f.write('space.txt', 'if  (x)   {\n')
  f.write('z.txt', 'diff --git a/a.txt b/a.txt\n')
  f.sh(['add', '-A'])
  f.sh(['commit', '-q', '-m', 'edit'])
  const head = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const names = (found: { files: { path: string; ids: never; status: never }[]; patch: string }) =>
    filePatches(found.files, found.patch).map((parts, index) => [
      found.files[index]?.path,
      parts.map((part) => part.split('\n')[0]),
    ])
  const all = [
    ['become-link', Array(2).fill('diff --git a/become-link b/become-link')],
    ['new.txt', ['diff --git a/old.txt b/new.txt']],
    ['space.txt', ['diff --git a/space.txt b/space.txt']],
    ['z.txt', ['diff --git a/z.txt b/z.txt']],
  ]
  const range = { projectId, base, head }
  expect(names((await f.git.diff(range)) as never)).toEqual(all)
  // a file that differs in white space alone is listed, and has nothing to show
  const without = (await f.git.diff({ ...range, ignoreWhitespace: true })) as never
  expect(names(without)).toEqual(
    all.map(([path, parts]) => [path, path === 'space.txt' ? [] : parts]),
  )
  const one = (await f.git.diff({ ...range, paths: ['new.txt', 'old.txt'] })) as never
  expect(names(one)).toEqual([all[1]])
  const hash = await f.git.diffHash(range)
  expect(hash).toBe((await f.git.diff(range)).hash)
})

import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { canBeRefused, createFixture, type Fixture } from './fixture.ts'
import type { MergeGoalInput } from './merge-goal.ts'

/** What a merge does to the person's checkout, however that looks. */

let f: Fixture
const projectId = 'p1'
beforeEach(() => {
  f = createFixture()
})
afterEach(() => f.remove())

/** An approved goal whose change `make` made in a clone of the person's repository as it is now. */
async function goalOf(make: (clone: string) => void): Promise<MergeGoalInput> {
  const base = f.sh(['rev-parse', 'HEAD'])
  const clone = join(f.folder, 'clone')
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  f.sh(['clone', '-q', f.repo, clone])
  make(clone)
  f.sh(['add', '-A', '-f'], clone)
  f.sh(['commit', '-q', '-m', 'goal'], clone)
  f.sh(['fetch', '-q', clone, 'HEAD:side'])
  const goalHead = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'side' })
  const { hash } = await f.git.diff({ projectId, base, head: goalHead })
  return {
    ...{ projectId, repoPath: f.repo, target: 'main', goalHead, began: base },
    ...{ approved: { base, hash }, message: 'm', trailers: {}, mergeKey: 'k' },
    intent: {
      load: async () => undefined,
      begin: async () => true,
      save: async () => undefined,
    },
  }
}
const put = (files: Record<string, string>) => (clone: string) => {
  for (const [name, content] of Object.entries(files)) f.write(name, content, clone)
}
const read = (name: string) => readFileSync(join(f.repo, name), 'utf8')
const status = () => f.sh(['status', '--porcelain'])
const MERGED = { outcome: 'merged', checkout: 'updated' }

test('an index that is split, as by a setting of the machine, is a whole one after the merge, with what was staged', async () => {
  f.commit({ 'a.txt': 'one\n', 'b.txt': 'bee\n' })
  const goal = await goalOf(put({ 'b.txt': 'goal\n' }))
  f.write('mine.txt', 'staged\n')
  f.sh(['-c', 'core.splitIndex=true', 'add', 'mine.txt'])
  expect(await f.git.mergeGoal(goal)).toMatchObject(MERGED)
  expect(status()).toBe('A  mine.txt')
  expect([read('b.txt'), f.sh(['show', ':mine.txt'])]).toEqual(['goal\n', 'staged'])
  f.sh(['config', 'core.splitIndex', 'true'])
  f.sh(['update-index', '--refresh'])
  expect(status()).toBe('A  mine.txt')
})

test('an index that a machine going down left empty blocks the merge, and is made anew without a loss', async () => {
  f.commit({ 'a.txt': 'one\n', 'b.txt': 'bee\n' })
  const goal = await goalOf(put({ 'a.txt': 'goal\n' }))
  f.write('b.txt', 'mine\n')
  const index = join(f.repo, '.git/index')
  writeFileSync(index, '')
  expect(await f.git.mergeGoal(goal)).toMatchObject({
    ...{ outcome: 'blocked', code: 'unsupported_checkout' },
    message: expect.stringContaining(`your checkout (${index}: index file smaller than expected)`),
  })
  rmSync(index)
  f.sh(['reset', '-q'])
  expect(await f.git.mergeGoal(goal)).toMatchObject(MERGED)
  expect([read('a.txt'), read('b.txt'), status()]).toEqual(['goal\n', 'mine\n', ' M b.txt'])
})

test.each(['here', 'in a linked worktree'])(
  'a sparse checkout %s is not updated, and blocks the merge',
  async (where) => {
    f.commit({ 'a/x.txt': 'one\n', 'b/x.txt': 'bee\n' })
    const goal = await goalOf(put({ 'a/x.txt': 'goal\n' }))
    const at = where === 'here' ? f.repo : join(f.folder, 'linked')
    if (at !== f.repo) {
      f.sh(['checkout', '-q', '--detach'])
      f.sh(['worktree', 'add', '-q', at, 'main'])
    }
    f.sh(['sparse-checkout', 'set', '--sparse-index', 'b'], at)
    expect(await f.git.mergeGoal(goal)).toMatchObject({
      ...{ outcome: 'blocked', code: 'unsupported_checkout' },
    })
    expect(f.sh(['status', '--porcelain'], at)).toBe('')
    f.sh(['sparse-checkout', 'disable'], at)
    expect(await f.git.mergeGoal(goal)).toMatchObject(MERGED)
    expect(f.sh(['status', '--porcelain'], at)).toBe('')
  },
)

test('a linked worktree whose files are elsewhere, as its own config says, blocks the merge: what is beside its `.git` is not what git compares', async () => {
  f.commit({ 'a.txt': 'one\n' })
  const goal = await goalOf(put({ 'a.txt': 'goal\n' }))
  const [linked, elsewhere] = [join(f.folder, 'linked'), join(f.folder, 'elsewhere')]
  f.sh(['checkout', '-q', '--detach'])
  f.sh(['worktree', 'add', '-q', linked, 'main'])
  f.sh(['config', 'extensions.worktreeConfig', 'true'])
  mkdirSync(elsewhere)
  f.write('a.txt', 'one\n', elsewhere)
  f.sh(['config', '--worktree', 'core.worktree', elsewhere], linked)
  expect(await f.git.mergeGoal(goal)).toMatchObject({
    ...{ outcome: 'blocked', code: 'unsupported_checkout' },
    message: expect.stringContaining(`main is checked out in ${elsewhere}`),
  })
  expect(f.sh(['status', '--porcelain'], linked)).toBe('')
  f.sh(['config', '--worktree', '--unset', 'core.worktree'], linked)
  expect(await f.git.mergeGoal(goal)).toMatchObject(MERGED)
  expect(f.sh(['status', '--porcelain'], linked)).toBe('')
})

/** A repository that has one of its own in `sub`, as a submodule. */
function addSubmodule(): void {
  const other = join(f.folder, 'other')
  f.sh(['clone', '-q', f.repo, other])
  const allowed = ['-c', 'protocol.file.allow=always']
  f.sh([...allowed, 'submodule', '--quiet', 'add', other, 'sub'])
  f.sh(['commit', '-q', '-m', 'a submodule'])
}
const dropSubmodule = (clone: string) => {
  f.sh(['rm', '-q', 'sub', '.gitmodules'], clone)
}
/** In bytes that are no UTF-8, as of an older disk. */
const oldName = (folder: string) =>
  Buffer.concat([Buffer.from(`${folder}/`), Buffer.from('sch\xf6n.key', 'latin1')])

/** What a person has where a goal writes, what the goal makes there, and what is named. */
const IN_THE_WAY: Record<
  string,
  { before?(): void; goal(clone: string): void; person(): void; named: string; kept(): string }
> = {
  'in a repository of its own that is ignored': {
    before: () => f.write('.gitignore', 'vendor/\n'),
    goal: put({ 'vendor/lib/x.c': 'goal\n', '.gitignore': '' }),
    person() {
      f.write('vendor/lib/x.c', 'precious\n')
      f.sh(['init', '-q'], join(f.repo, 'vendor/lib'))
    },
    named: 'vendor/lib/x.c',
    kept: () => read('vendor/lib/x.c'),
  },
  'with a name that is no UTF-8': {
    before: () => f.write('.gitignore', '*.key\n'),
    goal: (clone) => writeFileSync(oldName(clone), 'goal\n'),
    person: () => writeFileSync(oldName(f.repo), 'precious\n'),
    named: 'sch\ufffdn.key',
    kept: () => readFileSync(oldName(f.repo), 'utf8'),
  },
  'in a submodule that becomes a link': {
    before: addSubmodule,
    goal(clone) {
      dropSubmodule(clone)
      symlinkSync('../elsewhere', join(clone, 'sub'))
    },
    person: () => f.write('sub/a.txt', 'precious\n'),
    named: 'sub/',
    kept: () => read('sub/a.txt'),
  },
  'in a submodule whose files are taken in': {
    before: addSubmodule,
    goal(clone) {
      dropSubmodule(clone)
      f.write('sub/a.txt', 'goal\n', clone)
    },
    person: () => f.write('sub/a.txt', 'precious\n'),
    named: 'sub/a.txt',
    kept: () => read('sub/a.txt'),
  },
  'in a repository of its own inside a folder that becomes a file': {
    before: () => f.write('lib/x.c', 'x\n'),
    goal(clone) {
      rmSync(join(clone, 'lib'), { recursive: true })
      f.write('lib', 'goal\n', clone)
    },
    person() {
      f.write('.git/info/exclude', 'nested/\n')
      f.write('lib/nested/y.c', 'precious\n')
      f.sh(['init', '-q'], join(f.repo, 'lib/nested'))
    },
    named: 'lib/nested/',
    kept: () => read('lib/nested/y.c'),
  },
  'that is staged in a folder of which the goal makes a file': {
    goal: put({ lib: 'goal\n' }),
    person() {
      f.write('lib/new.c', 'precious\n')
      f.sh(['add', 'lib/new.c'])
    },
    named: 'lib/new.c',
    kept: () => read('lib/new.c'),
  },
  'that is staged in a folder in the place of a file, which the goal deletes': {
    before: () => f.write('lib', 'x\n'),
    goal: (clone) => rmSync(join(clone, 'lib')),
    person() {
      rmSync(join(f.repo, 'lib'))
      f.write('lib/new.c', 'precious\n')
      f.sh(['add', '-A'])
    },
    named: 'lib/new.c',
    kept: () => read('lib/new.c'),
  },
  'that is staged in a folder in the place of a file, as the goal makes one': {
    before: () => f.write('lib', 'x\n'),
    goal(clone) {
      rmSync(join(clone, 'lib'))
      f.write('lib/new.c', 'goal\n', clone)
    },
    person() {
      rmSync(join(f.repo, 'lib'))
      f.write('lib/new.c', 'precious\n')
      f.sh(['add', '-A'])
    },
    named: 'lib/new.c',
    kept: () => read('lib/new.c'),
  },
  'that is staged as a submodule in which the goal adds a file': {
    goal: put({ 'sub/new.c': 'goal\n' }),
    person() {
      addSubmodule()
      f.sh(['reset', '-q', '--soft', 'HEAD~1'])
    },
    named: 'sub',
    kept: () => (f.sh(['ls-files', '-s', 'sub']).startsWith('160000 ') ? 'precious\n' : 'gone'),
  },
  'behind a link that took the place of a folder': {
    before: () => f.write('lib/x.c', 'precious\n'),
    goal: put({ 'lib/x.c': 'goal\n' }),
    person() {
      renameSync(join(f.repo, 'lib'), join(f.folder, 'elsewhere'))
      symlinkSync('../elsewhere', join(f.repo, 'lib'))
    },
    named: 'lib',
    kept: () => read('lib/x.c'),
  },
}
test.each(Object.keys(IN_THE_WAY))(
  'a file of the person %s is not overwritten, and blocks the merge by name',
  async (where) => {
    const { before, goal, person, named, kept } = IN_THE_WAY[where] as (typeof IN_THE_WAY)[string]
    f.commit({ 'a.txt': 'one\n' })
    before?.()
    f.commit({ 'b.txt': 'bee\n' })
    const approved = await goalOf(goal)
    person()
    const head = f.sh(['rev-parse', 'main'])
    expect(await f.git.mergeGoal(approved)).toMatchObject({
      ...{ outcome: 'blocked', code: 'dirty_files', files: [named] },
    })
    expect([kept(), f.sh(['rev-parse', 'main'])]).toEqual(['precious\n', head])
  },
)

test('a link of the project that becomes a folder is followed nowhere, nor is a submodule that nobody fetched in the way', async () => {
  mkdirSync(join(f.folder, 'outside'))
  writeFileSync(join(f.folder, 'outside/x.c'), 'precious\n')
  symlinkSync('../outside', join(f.repo, 'lib'))
  f.commit({ 'a.txt': 'one\n' })
  addSubmodule()
  f.sh(['submodule', '--quiet', 'deinit', '-f', 'sub'])
  const goal = await goalOf((clone) => {
    dropSubmodule(clone)
    rmSync(join(clone, 'lib'))
    put({ 'lib/x.c': 'goal\n', sub: 'goal\n' })(clone)
  })
  expect(await f.git.mergeGoal(goal)).toMatchObject(MERGED)
  expect(readFileSync(join(f.folder, 'outside/x.c'), 'utf8')).toBe('precious\n')
  expect([read('lib/x.c'), read('sub'), status()]).toEqual(['goal\n', 'goal\n', ''])
})

test('where a disk takes names that differ in case for one, a file that gets another such name is not in its own way', async () => {
  f.commit({ 'Readme.md': 'one\n' })
  const goal = await goalOf((clone) =>
    renameSync(join(clone, 'Readme.md'), join(clone, 'README.md')),
  )
  f.sh(['config', 'core.ignoreCase', 'true'])
  linkSync(join(f.repo, 'Readme.md'), join(f.repo, 'README.md'))
  f.sh(['update-index', '--refresh'])
  expect(await f.git.mergeGoal(goal)).toMatchObject(MERGED)
})

test('a file that was only touched, as where the folder was copied, is no edit', async () => {
  f.commit({ 'a.txt': 'one\n', 'b.txt': 'bee\n' })
  const goal = await goalOf(put({ 'a.txt': 'goal\n' }))
  utimesSync(join(f.repo, 'a.txt'), 1, 1)
  expect(await f.git.mergeGoal(goal)).toMatchObject(MERGED)
  expect(status()).toBe('')
})

test.each(['assume-unchanged', 'skip-worktree'])(
  'an edit that git was told not to look at (%s) is not overwritten, and how to see it is told',
  async (mark) => {
    f.commit({ 'a.txt': 'one\n', 'b.txt': 'bee\n' })
    const goal = await goalOf(put({ 'a.txt': 'goal\n' }))
    f.sh(['update-index', `--${mark}`, 'a.txt', 'b.txt'])
    f.write('a.txt', 'precious\n')
    const blocked = await f.git.mergeGoal(goal)
    expect(blocked).toMatchObject({ outcome: 'blocked', code: 'dirty_files', files: ['a.txt'] })
    const { message } = blocked as { message: string }
    expect(message).toContain('Git was told not to look at a.txt there: ')
    expect([read('a.txt'), status()]).toEqual(['precious\n', ''])
    expect(message).toContain(`--no-${mark} FILE`)
    f.sh(['update-index', `--no-${mark}`, 'a.txt'])
    f.sh(['stash', '-q'])
    expect(await f.git.mergeGoal(goal)).toMatchObject(MERGED)
  },
)

test('the line ends of a person whose own config rewrites them stay theirs, and are no edits', async () => {
  const settings = join(f.folder, '.gitconfig')
  writeFileSync(settings, '[core]\n\tautocrlf = true\n')
  const asThey = (...args: string[]) =>
    f.sh(['-c', `include.path=${settings}`, '-c', 'core.safecrlf=false', ...args])
  f.commit({ 'a.txt': 'one\n', 'b.txt': 'bee\n', '.gitattributes': '*.sh eol=lf\n', 'c.sh': '#\n' })
  const goal = await goalOf(put({ 'b.txt': 'goal\n', 'c.sh': 'goal\n', 'new.txt': 'goal\n' }))
  for (const name of ['a.txt', 'b.txt']) rmSync(join(f.repo, name))
  asThey('checkout', '--', '.')
  expect(read('b.txt')).toBe('bee\r\n')
  // as after a copy of the folder: git has to look into the file
  utimesSync(join(f.repo, 'b.txt'), 1, 1)
  expect(await f.git.mergeGoal(goal)).toMatchObject(MERGED)
  expect(['a.txt', 'b.txt', 'new.txt', 'c.sh'].map(read)).toEqual([
    ...['one\r\n', 'goal\r\n', 'goal\r\n', 'goal\n'],
  ])
  expect(asThey('status', '--porcelain')).toBe('')
})

test('the line ends that attributes of the repository alone ask for stay, and are no edits', async () => {
  f.commit({ 'a.txt': 'one\n', 'b.txt': 'bee\n' })
  const goal = await goalOf(put({ 'b.txt': 'goal\n', 'new.txt': 'goal\n' }))
  f.write('.git/info/attributes', '*.txt text eol=crlf\n')
  for (const name of ['a.txt', 'b.txt']) rmSync(join(f.repo, name))
  f.sh(['checkout', '--', '.'])
  utimesSync(join(f.repo, 'b.txt'), 1, 1)
  expect(await f.git.mergeGoal(goal)).toMatchObject(MERGED)
  expect(['b.txt', 'new.txt'].map(read)).toEqual(['goal\r\n', 'goal\r\n'])
  expect(status()).toBe('')
})

test('conflicts that wait to be resolved, and patches half applied, are named with what ends them', async () => {
  f.commit({ 'a.txt': 'one\n', 'b.txt': 'bee\n' })
  const goal = await goalOf(put({ 'b.txt': 'goal\n' }))
  f.write('a.txt', 'stashed\n')
  f.sh(['stash', '-q'])
  const conflicting = f.commit({ 'a.txt': 'other\n' })
  expect(() => f.sh(['stash', 'pop', '-q'])).toThrow()
  expect(await f.git.mergeGoal(goal)).toMatchObject({
    ...{ outcome: 'blocked', code: 'in_progress_operation' },
    message: expect.stringMatching(
      /^There are conflicts in .*my repo that are not resolved.*retry the merge\.$/,
    ),
  })
  f.sh(['reset', '-q', '--hard'])
  f.sh(['stash', 'branch', 'with-patch'])
  f.sh(['commit', '-q', '-a', '-m', 'patch'])
  const patch = join(f.folder, 'patch')
  writeFileSync(patch, f.sh(['format-patch', '-1', '--stdout']))
  f.sh(['checkout', '-q', 'main'])
  expect(() => f.sh(['am', '-q', patch])).toThrow()
  expect(await f.git.mergeGoal(goal)).toMatchObject({
    ...{ outcome: 'blocked', code: 'in_progress_operation' },
    message: expect.stringContaining('(`git am --abort`)'),
  })
  f.sh(['am', '--abort'])
  expect(f.sh(['rev-parse', 'main'])).toBe(conflicting)
  expect(await f.git.mergeGoal(goal)).toMatchObject(MERGED)
})

test.each([
  ['the index was written', false],
  ['the files were written, and not the index', true],
])(
  "a merge in which files and folders take each other's place, killed when %s, is finished by the next call",
  async (_, isOld) => {
    const before = { 'lib/x.c': 'x\n', 'lib/y.c': 'y\n', file: 'f\n', 'gone/z.txt': 'z\n' }
    f.commit({ ...before, 'mine.txt': 'm\n' })
    const goal = await goalOf((clone) => {
      for (const name of ['lib', 'file', 'gone']) rmSync(join(clone, name), { recursive: true })
      put({ lib: 'now a file\n', 'file/in': 'now a folder\n' })(clone)
    })
    const index = join(f.repo, '.git/index')
    const old = readFileSync(index)
    const onStep = async (at: string) => {
      if (at === 'M9') throw new Error('killed')
    }
    await expect(f.git.mergeGoal({ ...goal, onStep })).rejects.toThrow('killed')
    if (isOld) writeFileSync(index, old)
    f.write('mine.txt', 'edited\n')
    expect(await f.git.mergeGoal(goal)).toMatchObject(MERGED)
    expect([status(), read('lib'), read('file/in')]).toEqual([
      ...[' M mine.txt', 'now a file\n', 'now a folder\n'],
    ])
  },
)

/** A goal that changes files of every kind, while the person edits one of them that both add and others that it leaves alone. */
async function goalOfMany(more: Record<string, string>): Promise<MergeGoalInput> {
  const tracked = ['a.txt', 'build/x.txt', 'gone.txt', 'mine.txt', 'z.txt']
  f.commit(Object.fromEntries(tracked.map((name) => [name, 'before\n'])))
  const changed = ['a.txt', 'aa.txt', 'build/x.txt', 'new/b.txt', 'z.txt']
  const goal = await goalOf((clone) => {
    put({ ...Object.fromEntries(changed.map((name) => [name, 'goal\n'])), ...more })(clone)
    put({ 'both.txt': 'same\n' })(clone)
    rmSync(join(clone, 'gone.txt'))
  })
  f.write('both.txt', 'same\n')
  f.sh(['add', 'both.txt'])
  f.write('both.txt', 'same and more\n')
  f.write('mine.txt', 'edited\n')
  return goal
}
const EDITED = 'AM both.txt\n M mine.txt'
const asBefore = (at: string) => {
  const names = ['a.txt', 'build/x.txt', 'gone.txt', 'z.txt']
  for (const name of names) expect(readFileSync(join(at, name), 'utf8'), name).toBe('before\n')
}

test.skipIf(!canBeRefused)(
  'a merge that cannot write in a folder, as in one that a container made, leaves every file as it was and says why',
  async () => {
    const goal = await goalOfMany({})
    const git = f.unprivileged()
    const head = f.sh(['rev-parse', 'main'])
    chmodSync(join(f.repo, 'build'), 0o555)
    expect(await git.mergeGoal(goal)).toEqual({
      ...{ outcome: 'blocked', code: 'not_written' },
      message: expect.stringMatching(
        /could not be written in .*my repo: unable to unlink old 'build\/x.txt': Permission denied\. Mend that, then retry the merge\.$/,
      ),
    })
    expect([f.sh(['rev-parse', 'main']), status()]).toEqual([head, EDITED])
    asBefore(f.repo)
    chmodSync(join(f.repo, 'build'), 0o755)
    chmodSync(join(f.repo, '.git'), 0o555)
    expect(await git.mergeGoal(goal)).toMatchObject({
      message: expect.stringMatching(
        /could not be written in .*index\.lock': Permission denied\. /,
      ),
    })
    chmodSync(join(f.repo, '.git'), 0o755)
    for (const closed of ['objects/pack', 'refs/heads', 'logs/refs/heads/main']) {
      const path = join(f.repo, '.git', closed)
      const { mode } = statSync(path)
      chmodSync(path, mode & ~0o222)
      await expect(git.mergeGoal(goal)).rejects.toMatchObject({
        ...{ name: 'GitProblem', code: 'not_writable' },
        message: expect.stringMatching(`^Git may not write .*/my repo/.git/${closed}[^X]*Make`),
      })
      expect([f.sh(['rev-parse', 'main']), status()]).toEqual([head, EDITED])
      chmodSync(path, mode)
    }
    expect(await git.mergeGoal(goal)).toMatchObject(MERGED)
    expect(status()).toBe(EDITED.replace('A', ' '))
    expect([read('a.txt'), read('new/b.txt'), read('both.txt'), read('mine.txt')]).toEqual([
      ...['goal\n', 'goal\n', 'same and more\n', 'edited\n'],
    ])
  },
)

test.skipIf(!canBeRefused)(
  'a file that a merge takes out and cannot delete, in a folder that is closed, is told',
  async () => {
    f.commit({ 'a.txt': 'one\n', 'build/gone.txt': 'x\n', 'build/more.txt': 'x\n' })
    const goal = await goalOf((clone) => {
      for (const name of ['a.txt', 'build/gone.txt']) rmSync(join(clone, name))
    })
    chmodSync(join(f.repo, 'build'), 0o555)
    expect(await f.unprivileged().mergeGoal(goal)).toEqual({
      ...{ ...MERGED, commit: f.sh(['rev-parse', 'main']) },
      note: 'Git may not delete build/gone.txt in your checkout, which the merge takes out of main: delete by hand what is still there.',
    })
    expect(status()).toBe('?? build/gone.txt')
    chmodSync(join(f.repo, 'build'), 0o755)
  },
)

test('a merge that fills the disk of the checkout leaves every file as it was and says so', async (context) => {
  const disk = join(f.folder, 'disk')
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    return context.skip() // not root, or a container without the right to mount
  }
  try {
    const goal = await goalOfMany({ 'big.txt': 'x'.repeat(2_000_000) })
    f.sh(['reset', '-q', '--hard'])
    f.sh(['checkout', '-q', '--detach'])
    const linked = join(disk, 'linked')
    f.sh(['worktree', 'add', '-q', linked, 'main'])
    f.write('mine.txt', 'edited\n', linked)
    const head = f.sh(['rev-parse', 'main'])
    expect(await f.git.mergeGoal(goal)).toMatchObject({
      ...{ outcome: 'blocked', code: 'not_written' },
      message: expect.stringMatching(
        /could not be written in .*linked: .*big\.txt|the disk is full/,
      ),
    })
    expect(f.sh(['rev-parse', 'main'])).toBe(head)
    expect(f.sh(['status', '--porcelain'], linked)).toBe(' M mine.txt')
    asBefore(linked)
    execFileSync('mount', ['-o', 'remount,size=9m', disk])
    expect(await f.git.mergeGoal(goal)).toMatchObject(MERGED)
    expect(f.sh(['status', '--porcelain'], linked)).toBe(' M mine.txt')
  } finally {
    execFileSync('umount', ['-l', disk])
  }
})

test('a merge that fills the disk of the repository leaves nothing there, and is made when there is room', async (context) => {
  const disk = join(f.folder, 'disk')
  mkdirSync(disk)
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk], { stdio: 'ignore' })
  } catch {
    return context.skip() // not root, or a container without the right to mount
  }
  try {
    f.commit({ 'a.txt': 'one\n' })
    const repoPath = join(disk, 'repo')
    f.sh(['clone', '-q', '--no-local', f.repo, repoPath])
    f.sh(['checkout', '-q', '--detach'], repoPath)
    const goal = await goalOf((clone) => f.write('big.bin', randomBytes(3_000_000), clone))
    const packs = readdirSync(join(repoPath, '.git/objects/pack'))
    for (const _ of ['full', 'and again'])
      await expect(f.git.mergeGoal({ ...goal, repoPath })).rejects.toThrow('The disk is full.')
    expect(readdirSync(join(repoPath, '.git/objects/pack'))).toEqual(packs)
    execFileSync('mount', ['-o', 'remount,size=9m', disk])
    expect(await f.git.mergeGoal({ ...goal, repoPath })).toMatchObject({ outcome: 'merged' })
  } finally {
    execFileSync('umount', ['-l', disk])
  }
})

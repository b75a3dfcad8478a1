import { type ChildProcess, spawn } from 'node:child_process'
import {
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
import { createFixture, type Fixture } from './fixture.ts'
import { createGit } from './git.ts'
import type { MergeGoalInput, MergeIntent, MergeStep } from './merge-goal.ts'

let f: Fixture
let base: string
const projectId = 'p1'
const goalBranch = 'dispatch/G-1'
beforeEach(async () => {
  f = createFixture()
  base = f.commit({ 'a.txt': 'one\n', 'b.txt': 'bee\n', 'c.txt': 'sea\n' })
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  await f.git.createGoalBranch({ projectId, goalBranch, base })
})
afterEach(() => f.remove())

/** An agent's work on a task, committed and published. */
async function work(key: string, files: Record<string, string>, from = base) {
  const { path } = await f.git.claimWorktree({
    projectId,
    key,
    base: from,
    branch: `dispatch/${key}`,
  })
  for (const [name, content] of Object.entries(files)) f.write(name, content, path)
  const { head } = await f.git.commitAll({
    projectId,
    worktreePath: path,
    message: key,
    trailers: {},
  })
  await f.git.publish({ projectId, key, head })
  const { hash } = await f.git.diff({ projectId, base: from, head })
  return { path, head, hash, key, from }
}
type Work = Awaited<ReturnType<typeof work>>
const integrate = (task: Work) =>
  f.git.integrateTask({
    projectId,
    goalBranch,
    taskHead: task.head,
    taskBase: task.from,
    approved: { hash: task.hash },
    message: `${task.key}: work`,
    trailers: { 'Dispatch-Task': task.key },
    mergeKey: `G-1/${task.key}/${task.head}`,
  })

function store(): MergeGoalInput['intent'] & { value: MergeIntent | undefined } {
  return {
    value: undefined,
    async load() {
      return this.value
    },
    async begin(newSha) {
      this.value = { newSha }
      return true
    },
    async save(intent) {
      this.value = intent
    },
  }
}
/** A goal with one task's work, approved against the present main. */
async function approvedGoal(files: Record<string, string>): Promise<MergeGoalInput> {
  const task = await work('T-1', files)
  await integrate(task)
  const goalHead = await f.git.branchHead({ projectId, branch: goalBranch })
  if (!goalHead) throw new Error('no goal head')
  const { hash } = await f.git.diff({ projectId, base, head: goalHead })
  return {
    projectId,
    repoPath: f.repo,
    target: 'main',
    goalHead,
    began: base,
    approved: { base, hash },
    message: 'Merge G-1: the goal',
    trailers: { 'Dispatch-Goal': 'G-1', 'Dispatch-Review': 'R-1' },
    mergeKey: `G-1/merge/${goalHead}/${base}`,
    intent: store(),
  }
}
const mergeCount = (key: string) =>
  f
    .sh(['log', '--format=%H', '-F', `--grep=Dispatch-Merge-Key: ${key}`, 'main'])
    .split('\n')
    .filter(Boolean).length
const show = (spec: string) => f.sh(['show', spec])
const read = (name: string) => readFileSync(join(f.repo, name), 'utf8')

test.each(['.gitattributes', '.git/info/attributes'])(
  "files that the person's git rewrites at a checkout are not merged as the agent left them (%s)",
  async (attributes) => {
    f.sh(['config', 'filter.rot.smudge', 'touch ran; tr a-m n-z'])
    f.sh(['config', 'filter.rot.clean', 'tr n-z a-m'])
    f.sh(['config', 'filter.strip.clean', 'tr -d x'])
    f.sh(['config', 'filter.strip.smudge', 'cat'])
    f.sh(['config', 'filter.server.process', 'touch ran'])
    const lines = ['*.key filter=rot', '*.pic filter=server', '*.book filter=strip']
    f.write(attributes, [...lines, '*.bin filter=unknown', ''].join('\n'))
    base = f.commit({ 'plain.txt': 'one\n', 'old.key': 'abc\n' })
    await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
    const goal = async (name: string, files: Record<string, string>) => {
      const task = await work(name, files)
      const approved = { base, hash: task.hash }
      const mergeKey = `${name}/merge/${task.head}/${base}`
      const of = { projectId, repoPath: f.repo, target: 'main', goalHead: task.head, began: base }
      return { ...of, approved, message: name, trailers: {}, mergeKey, intent: store() }
    }
    const hindered = await goal('T-1', { 'new.key': 'k\n', 'a.txt': 'goal\n', 'b.pic': 'p\n' })
    expect(await f.git.mergeGoal(hindered)).toEqual({
      ...{ outcome: 'filtered', filters: ['server', 'rot'], files: ['b.pic', 'new.key'] },
    })
    expect(f.sh(['rev-parse', 'main'])).toBe(base)
    const other = await goal('T-2', { 'a.txt': 'goal\n', 'b.book': 'box\n', 'c.bin': 'raw\n' })
    expect(await f.git.mergeGoal(other)).toMatchObject({ outcome: 'merged', checkout: 'updated' })
    expect(existsSync(join(f.repo, 'ran'))).toBe(false)
  },
)

test('work that the target has already, as after a merge by hand, ends without another merge or a review of nothing', async () => {
  const input = await approvedGoal({ 'a.txt': 'goal\n' })
  const own = f.commit({ 'a.txt': 'goal\n', 'c.txt': 'mine\n' })
  expect(await f.git.mergeGoal(input)).toMatchObject({
    ...{ outcome: 'merged', commit: own, note: 'Nothing was left to merge into main.' },
  })
  expect(f.sh(['rev-parse', 'main'])).toBe(own)
})

test.each([
  { umask: 0o022, shared: undefined, others: 0o044 },
  { umask: 0o002, shared: undefined, others: 0o064 },
  { umask: 0o077, shared: 'group', others: 0o060 },
  { umask: 0o022, shared: '0640', others: 0o040 },
])(
  'what a merge writes for the person is as open as what they write themselves: %o',
  async ({ umask, shared, others }) => {
    const mode = (name: string) => (statSync(join(f.repo, name)).mode & 0o777).toString(8)
    const ours = process.umask(0o077)
    try {
      if (shared) f.sh(['config', 'core.sharedRepository', shared])
      const goal = await approvedGoal({ 'a.txt': 'goal\n', 'new/file.txt': 'goal\n' })
      const openOfOurs = () =>
        readdirSync(f.home, { recursive: true, encoding: 'utf8' }).filter(
          (name) => statSync(join(f.home, name)).mode & 0o077,
        )
      const before = openOfOurs()
      const merged = await createGit({ home: f.home, umask }).mergeGoal(goal)
      expect(merged).toMatchObject({ outcome: 'merged', checkout: 'updated' })

      // git itself opens the files of a checkout by the umask alone
      for (const name of ['a.txt', 'new/file.txt'])
        expect.soft(mode(name), name).toBe((0o666 & ~umask).toString(8))
      expect.soft(mode('new'), 'new').toBe((0o777 & ~umask).toString(8))
      for (const name of ['index', 'refs/heads/main'])
        expect.soft(mode(`.git/${name}`), name).toBe((0o600 | others).toString(8))
      const packs = readdirSync(join(f.repo, '.git/objects/pack'))
      expect(packs.length).toBeGreaterThan(0)
      for (const name of packs)
        expect.soft(mode(`.git/objects/pack/${name}`)).toBe((0o400 | (others & 0o044)).toString(8))
      expect(openOfOurs()).toEqual(before)
    } finally {
      process.umask(ours)
    }
  },
)

test('a task becomes one commit on the goal branch, once', async () => {
  const task = await work('T-1', { 'a.txt': 'two\n' })
  const first = await integrate(task)
  expect(first).toEqual({ outcome: 'merged', commit: expect.any(String) })
  expect(await integrate(task)).toEqual(first)
  const cleanHub = join(f.home, 'hubs', projectId, 'clean.git')
  expect(f.sh(['--git-dir', cleanHub, 'rev-list', '--count', `${base}..${goalBranch}`])).toBe('1')
  expect(f.sh(['--git-dir', cleanHub, 'log', '-1', '--format=%B', goalBranch])).toContain(
    'Dispatch-Task: T-1',
  )
})

test('tasks in other files merge side by side; the same file needs a new look, or the agent', async () => {
  const [one, two, near, clash] = await Promise.all([
    work('T-1', { 'a.txt': 'one\n2\n3\n4\n5\n6\n7\n8\n' }),
    work('T-2', { 'b.txt': 'two\n' }),
    work('T-3', { 'a.txt': 'zero\none\n' }),
    work('T-4', { 'b.txt': 'other\n' }),
  ])
  expect((await integrate(one)).outcome).toBe('merged')
  expect((await integrate(two)).outcome).toBe('merged')
  expect(await integrate(near)).toMatchObject({ outcome: 'moved' })
  expect(await integrate(clash)).toEqual({ outcome: 'conflict', files: ['b.txt'] })

  const onto = (await f.git.branchHead({ projectId, branch: goalBranch })) ?? ''
  const rebased = await f.git.rebaseTask({ projectId, worktreePath: near.path, onto })
  if (rebased.outcome !== 'rebased') throw new Error('expected a clean merge')
  expect(readFileSync(join(near.path, 'a.txt'), 'utf8')).toBe('zero\none\n2\n3\n4\n5\n6\n7\n8\n')
  expect(f.sh(['status', '--porcelain'], near.path)).toBe('')
  const look = await f.git.diff({ projectId, base: rebased.base, head: rebased.head })
  expect(look.files.map((file) => file.path)).toEqual(['a.txt'])
  const again = { ...near, head: rebased.head, from: rebased.base, hash: look.hash }
  expect((await integrate(again)).outcome).toBe('merged')
})

test('a conflict is left in the worktree for the agent, and its answer is a merge commit', async () => {
  const one = await work('T-1', { 'b.txt': 'one\n', 'n.txt': 'new\n' })
  const two = await work('T-2', { 'b.txt': 'two\n' })
  await integrate(one)
  const onto = (await f.git.branchHead({ projectId, branch: goalBranch })) ?? ''
  const where = { projectId, worktreePath: two.path, onto }
  expect(await f.git.prepareConflict(where)).toEqual({ files: ['b.txt'] })
  expect(await f.git.prepareConflict(where)).toEqual({ files: ['b.txt'] })
  expect(readFileSync(join(two.path, 'b.txt'), 'utf8')).toMatch(
    /<<<<<<<[\s\S]*=======[\s\S]*>>>>>>>/,
  )
  const finish = () =>
    f.git.commitAll({ projectId, worktreePath: two.path, message: 'Resolve', trailers: {} })
  expect((await finish()).unresolved).toEqual(['b.txt'])
  f.write('b.txt', 'one and two\n', two.path)
  const resolved = await finish()
  expect(resolved).toMatchObject({ unresolved: [], files: ['b.txt'] })
  expect(f.sh(['status', '--porcelain', '-b'], two.path)).toBe('## dispatch/T-2')
  await f.git.publish({ projectId, head: resolved.head, key: 'T-2' })
  const { hash } = await f.git.diff({ projectId, base: onto, head: resolved.head })
  expect((await integrate({ ...two, head: resolved.head, from: onto, hash })).outcome).toBe(
    'merged',
  )
})

test.each([
  ['brought up to date', 'other.txt'],
  ['left in conflict', 'b.txt'],
])(
  'what was changed in a worktree since it was committed is saved before it is %s',
  async (_, clash) => {
    const one = await work('T-1', { [clash]: 'one\n' })
    const two = await work('T-2', { 'b.txt': 'two\n' })
    await integrate(one)
    const onto = (await f.git.branchHead({ projectId, branch: goalBranch })) ?? ''
    f.write('a.txt', 'precious\n', two.path)
    const saved: string[] = []
    const onSalvaged = async ({ ref }: { ref: string }) => void saved.push(ref)
    const at = { projectId, worktreePath: two.path, onto, onSalvaged }
    if (clash === 'b.txt') await f.git.prepareConflict(at)
    else await f.git.rebaseTask(at)
    expect(readFileSync(join(two.path, 'a.txt'), 'utf8')).toBe('one\n')
    const clean = join(f.home, 'hubs', projectId, 'clean.git')
    expect(f.sh(['--git-dir', clean, 'show', `${saved[0]}:a.txt`])).toBe('precious')
  },
)

test('conflict markers are seen also in a file whose name is no UTF-8', async () => {
  const name = Buffer.from('sch\xf6n.txt', 'latin1')
  const at = (folder: string) => Buffer.concat([Buffer.from(`${folder}/`), name])
  writeFileSync(at(f.repo), 'as it was\n')
  base = f.commit({})
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  const { path } = await work('T-1', { 'b.txt': 'mine\n' })
  const commit = () =>
    f.git.commitAll({ projectId, worktreePath: path, message: 'm', trailers: {} })
  writeFileSync(at(path), 'mine\n')
  await commit()
  writeFileSync(at(f.repo), 'of others\n')
  const onto = f.commit({})
  await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  await f.git.prepareConflict({ projectId, worktreePath: path, onto })
  expect((await commit()).unresolved).toEqual(['sch\ufffdn.txt'])
  writeFileSync(at(path), 'of both\n')
  expect((await commit()).unresolved).toEqual([])
})

test.each([
  ['aborts the merge', ['merge', '--abort']],
  ['commits it with its own side of everything', ['checkout', '-q', 'dispatch/T-2', '--', '.']],
])('an agent that %s is told on to have taken out the work of others', async (_, how) => {
  const one = await work('T-1', { 'b.txt': 'one\n', 'a.txt': 'by another\n', 'n.txt': 'new\n' })
  const two = await work('T-2', { 'b.txt': 'two\n' })
  await integrate(one)
  const onto = (await f.git.branchHead({ projectId, branch: goalBranch })) ?? ''
  await f.git.prepareConflict({ projectId, worktreePath: two.path, onto })
  f.sh(how, two.path)
  if (how.includes('checkout')) f.sh(['commit', '-q', '-a', '-m', 'mine'], two.path)
  const finish = () =>
    f.git.commitAll({ projectId, worktreePath: two.path, message: 'Resolve', trailers: {} })
  const { undone, head } = await finish()
  expect(undone).toEqual(how.includes('checkout') ? ['a.txt'] : ['a.txt', 'n.txt'])
  // whoever asked may have been killed before it was kept
  expect(await finish()).toMatchObject({ undone, head, committed: false })
})

test('a goal is merged with its trailers, and every byte of uncommitted work stays', async () => {
  const input = await approvedGoal({ 'a.txt': 'goal\n', 'added.txt': 'added\n' })
  f.write('b.txt', 'half an idea')
  f.write('untracked.bin', Buffer.from([0, 255, 10]))
  f.write('staged.txt', 'staged')
  f.sh(['add', 'staged.txt'])
  const result = await f.git.mergeGoal(input)
  expect(result).toMatchObject({ outcome: 'merged', checkout: 'updated' })
  expect(f.sh(['log', '-1', '--format=%P', 'main'])).toBe(`${base} ${input.goalHead}`)
  expect(f.sh(['log', '-1', '--format=%(trailers:only)', 'main'])).toMatch(
    /Dispatch-Goal: G-1\nDispatch-Review: R-1\nDispatch-Merge-Key: G-1\/merge\//,
  )
  expect([read('a.txt'), read('added.txt'), read('b.txt')]).toEqual([
    'goal\n',
    'added\n',
    'half an idea',
  ])
  expect(f.sh(['status', '--porcelain'])).toBe(' M b.txt\nA  staged.txt\n?? untracked.bin')
  expect(await f.git.mergeGoal(input)).toMatchObject(result)
  expect(f.sh(['fsck', '--strict'])).not.toMatch(/error|missing/)
})

test('files the person is editing block the merge by name, and nothing changes', async () => {
  const input = await approvedGoal({ 'a.txt': 'goal\n', 'added.txt': 'added\n' })
  f.write('a.txt', 'the person edits this')
  f.write('added.txt', 'in the way')
  const seen = () => [
    f.sh(['rev-parse', 'main']),
    f.sh(['reflog', 'main']), // nor was the branch moved and taken back meanwhile
    f.sh(['status', '--porcelain']),
    read('a.txt'),
    read('added.txt'),
  ]
  const before = seen()
  const blocked = await f.git.mergeGoal(input)
  expect(blocked).toMatchObject({
    outcome: 'blocked',
    code: 'dirty_files',
    message: expect.stringMatching(/Commit, stash or move/),
  })
  expect((blocked as { files: string[] }).files.length).toBeGreaterThan(0)
  expect(seen()).toEqual(before)
  f.sh(['checkout', '-q', '--', 'a.txt'])
  rmSync(join(f.repo, 'added.txt'))
  expect(await f.git.mergeGoal(input)).toMatchObject({ outcome: 'merged' })
})

test.each([['.gitignore'], ['.git/info/exclude']])(
  'a file that the person keeps and ignores by %s is not overwritten by one that a goal adds',
  async (ignoredBy) => {
    f.write(ignoredBy, '/notes/\n')
    base = f.commit({ 'c.txt': 'one\n' })
    await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
    // as an agent makes it that adds it by force, or takes the line out of .gitignore
    f.sh(['checkout', '-q', '-b', 'side'])
    f.write('notes/mine.txt', 'of the goal')
    f.sh(['add', '-f', 'notes/mine.txt'])
    f.sh(['commit', '-q', '-m', 'forced'])
    const goalHead = f.sh(['rev-parse', 'HEAD'])
    await f.git.importTarget({ projectId, repoPath: f.repo, target: 'side' })
    f.sh(['checkout', '-q', 'main'])
    f.write('notes/mine.txt', 'of the person')
    const { hash } = await f.git.diff({ projectId, base, head: goalHead })
    const input = {
      ...{
        projectId,
        repoPath: f.repo,
        target: 'main',
        goalHead,
        began: base,
        approved: { base, hash },
      },
      ...{ message: 'm', trailers: {}, mergeKey: 'k', intent: store() },
    }
    expect(await f.git.mergeGoal(input)).toMatchObject({
      ...{ outcome: 'blocked', code: 'dirty_files', files: ['notes/mine.txt'] },
    })
    expect([read('notes/mine.txt'), f.sh(['rev-parse', 'main'])]).toEqual(['of the person', base])
    rmSync(join(f.repo, 'notes/mine.txt'))
    expect(await f.git.mergeGoal(input)).toMatchObject({ outcome: 'merged', checkout: 'updated' })
    expect(read('notes/mine.txt')).toBe('of the goal')
  },
)

test('the file of the person in the way may come after a thousand that hold the merge already', async () => {
  const names = Array.from({ length: 1000 }, (_, n) => `made/${1000 + n}.txt`)
  const made = Object.fromEntries(names.map((name) => [name, '']))
  const input = await approvedGoal({ ...made, 'z/own.key': 'of the goal' })
  for (const name of names) f.write(name, '')
  f.sh(['add', 'made'])
  f.write('.git/info/exclude', '*.key\n')
  f.write('z/own.key', 'of the person')
  expect(await f.git.mergeGoal(input)).toMatchObject({
    ...{ outcome: 'blocked', code: 'dirty_files', files: ['z/own.key'] },
  })
  expect(read('z/own.key')).toBe('of the person')
})

test('what else can be in the way: a lock, an unfinished merge, a missing branch, two checkouts', async () => {
  const input = await approvedGoal({ 'a.txt': 'goal\n' })
  writeFileSync(join(f.repo, '.git/index.lock'), '')
  expect(await f.git.mergeGoal(input)).toMatchObject({ outcome: 'blocked', code: 'index_locked' })
  rmSync(join(f.repo, '.git/index.lock'))
  writeFileSync(join(f.repo, '.git/MERGE_HEAD'), `${base}\n`)
  expect(await f.git.mergeGoal(input)).toMatchObject({
    outcome: 'blocked',
    code: 'in_progress_operation',
  })
  rmSync(join(f.repo, '.git/MERGE_HEAD'))
  expect(await f.git.mergeGoal({ ...input, target: 'gone' })).toMatchObject({
    outcome: 'blocked',
    code: 'target_missing',
  })
  f.sh(['worktree', 'add', '-q', '-f', join(f.folder, 'second'), 'main'])
  expect(await f.git.mergeGoal(input)).toMatchObject({
    outcome: 'blocked',
    code: 'checked_out_elsewhere',
  })
  expect(f.sh(['rev-parse', 'main'])).toBe(base)
})

test.each(['here', 'in a linked worktree'])(
  'a rebase of the target under way %s blocks the merge: its end would take the merge out again',
  async (where) => {
    const input = await approvedGoal({ 'a.txt': 'goal\n' })
    for (const n of ['1', '2']) f.commit({ 'b.txt': n })
    const head = f.sh(['rev-parse', 'main'])
    const at = where === 'here' ? f.repo : join(f.folder, 'linked')
    if (at !== f.repo) {
      f.sh(['checkout', '-q', '--detach'])
      f.sh(['worktree', 'add', '-q', at, 'main'])
    }
    f.sh(['-c', 'sequence.editor=sed -i 1s/pick/edit/', 'rebase', '-q', '-i', 'HEAD~2'], at)
    expect(await f.git.mergeGoal(input)).toMatchObject({
      ...{ outcome: 'blocked', code: 'in_progress_operation' },
      message: expect.stringContaining(`A rebase is in progress in ${at}.`),
    })
    f.sh(['rebase', '--abort'], at)
    expect(f.sh(['rev-parse', 'main'])).toBe(head)
    expect(await f.git.mergeGoal(input)).toMatchObject({ outcome: 'merged', checkout: 'updated' })
  },
)

/** Where the person keeps the git folder of a checkout, and how to get there from a plain repository. Gives the checkout. */
const MOVED: Record<string, () => string> = {
  'with a separate git folder'() {
    f.sh(['init', '-q', '--separate-git-dir', join(f.folder, 'sep.git')])
    return f.repo
  },
  'with a .git that is a link'() {
    renameSync(join(f.repo, '.git'), join(f.folder, 'lnk.git'))
    symlinkSync('../lnk.git', join(f.repo, '.git'))
    return f.repo
  },
  'of a submodule'() {
    const above = join(f.folder, 'above')
    f.sh(['init', '-q', above])
    const allowed = ['-c', 'protocol.file.allow=always']
    f.sh([...allowed, 'submodule', '--quiet', 'add', '-b', 'main', f.repo, 'sub'], above)
    return join(above, 'sub')
  },
  'in a linked worktree that was moved'() {
    f.sh(['checkout', '-q', '--detach'])
    f.sh(['worktree', 'add', '-q', join(f.folder, 'linked'), 'main'])
    renameSync(join(f.folder, 'linked'), join(f.folder, 'moved'))
    return join(f.folder, 'moved')
  },
}
test.each(Object.keys(MOVED))(
  'the checkout %s follows the merge, where it is the project',
  async (how) => {
    const input = await approvedGoal({ 'a.txt': 'goal\n' })
    const repoPath = MOVED[how]?.() ?? ''
    expect(await f.git.mergeGoal({ ...input, repoPath })).toMatchObject({
      ...{ outcome: 'merged', checkout: 'updated' },
    })
    expect(f.sh(['show', 'HEAD:a.txt'], repoPath)).toBe('goal')
    expect(f.sh(['status', '--porcelain'], repoPath)).toBe('')
  },
)

test('a linked worktree of the target that is not where it was blocks the merge until git knows where it is', async () => {
  const input = await approvedGoal({ 'a.txt': 'goal\n' })
  const at = MOVED['in a linked worktree that was moved']?.() ?? ''
  // another repository in its old place is not it
  f.sh(['init', '-q', join(f.folder, 'linked')])
  expect(await f.git.mergeGoal(input)).toMatchObject({
    ...{ outcome: 'blocked', code: 'unsupported_checkout' },
    message: expect.stringMatching(
      /main is checked out in .*linked, which is not there any more.*git worktree repair.*git worktree prune.*retry the merge\.$/,
    ),
  })
  expect(f.sh(['rev-parse', 'main'])).toBe(base)
  rmSync(join(f.folder, 'linked'), { recursive: true })
  f.sh(['worktree', 'repair'], at)
  expect(await f.git.mergeGoal(input)).toMatchObject({ outcome: 'merged', checkout: 'updated' })
  expect(f.sh(['status', '--porcelain'], at)).toBe('')
})

test('of a linked worktree, the main checkout follows; one whose place nobody knows blocks the merge', async () => {
  const input = await approvedGoal({ 'a.txt': 'goal\n' })
  const linked = join(f.folder, 'linked')
  f.sh(['worktree', 'add', '-q', '-b', 'side', linked])
  const fromLinked = { ...input, repoPath: linked }
  MOVED['with a .git that is a link']?.()
  f.sh(['worktree', 'repair', linked])
  expect(await f.git.mergeGoal(fromLinked)).toMatchObject({
    ...{ outcome: 'blocked', code: 'unsupported_checkout' },
    message: expect.stringMatching(/lnk\.git .*core\.worktree.*retry the merge\.$/),
  })
  expect(f.sh(['rev-parse', 'main'])).toBe(base)
  f.sh(['config', 'core.worktree', f.repo])
  expect(await f.git.mergeGoal(fromLinked)).toMatchObject({
    ...{ outcome: 'merged', checkout: 'updated' },
  })
  expect(f.sh(['status', '--porcelain'])).toBe('')
})

test('a target that stands for another branch moves that one, and its checkout follows', async () => {
  const input = await approvedGoal({ 'a.txt': 'goal\n' })
  f.sh(['branch', '-m', 'master'])
  f.sh(['symbolic-ref', 'refs/heads/main', 'refs/heads/master'])
  for (const branch of ['main', 'master']) {
    f.sh(['checkout', '-q', branch])
    f.sh(['reset', '-q', '--hard', base])
    const fresh = { ...input, intent: store() }
    expect(await f.git.mergeGoal(fresh)).toMatchObject({ outcome: 'merged', checkout: 'updated' })
    expect(f.sh(['show', 'master:a.txt'])).toBe('goal')
    expect(f.sh(['status', '--porcelain'])).toBe('')
  }
})

test('a branch on which a bare repository stands is checked out nowhere', async () => {
  const bare = join(f.folder, 'bare.git')
  const linked = join(f.folder, 'linked')
  f.sh(['clone', '-q', '--bare', f.repo, bare])
  f.sh(['worktree', 'add', '-q', '-b', 'side', linked], bare)
  const input = await approvedGoal({ 'a.txt': 'goal\n' })
  expect(await f.git.mergeGoal({ ...input, repoPath: linked })).toMatchObject({
    ...{ outcome: 'merged', checkout: 'not_checked_out' },
  })
})

test('the base moved: other files merge by themselves, the same file asks again, a clash is a conflict', async () => {
  const input = await approvedGoal({ 'a.txt': 'one\n2\n3\n4\n5\n6\n7\n8\n' })
  const moved = f.commit({ 'a.txt': 'zero\none\n' })
  const again = await f.git.mergeGoal(input)
  expect(again).toMatchObject({ outcome: 'base_moved', base: moved, tree: expect.any(String) })
  const { hash } = again as { hash: string }
  expect(hash).not.toBe(input.approved.hash)
  const second = { ...input, approved: { base: moved, hash }, mergeKey: `${input.mergeKey}/again` }
  const stop = async (at: MergeStep) => {
    if (at === 'M7') throw new Error('it would be merged')
  }
  await expect(f.git.mergeGoal({ ...second, onStep: stop })).rejects.toThrow('it would be merged')
  f.commit({ 'a.txt': 'ours entirely\n' })
  expect(await f.git.mergeGoal(input)).toEqual({
    outcome: 'conflict',
    files: ['a.txt'],
    own: false,
    foreign: false,
  })
  f.commit({ 'a.txt': 'one\n', 'b.txt': 'unrelated\n' })
  expect(await f.git.mergeGoal(input)).toMatchObject({ outcome: 'merged' })
  expect(show('main:b.txt')).toBe('unrelated')
})

test('a branch that is not checked out is merged without touching the checkout', async () => {
  f.sh(['checkout', '-q', '-b', 'elsewhere'])
  const input = await approvedGoal({ 'a.txt': 'goal\n' })
  expect(await f.git.mergeGoal(input)).toMatchObject({
    outcome: 'merged',
    checkout: 'not_checked_out',
  })
  expect([read('a.txt'), show('main:a.txt')]).toEqual(['one\n', 'goal'])
})

const STEPS: MergeStep[] = ['M0', 'M1', 'M2', 'M3', 'M4', 'M5', 'M6', 'M7', 'M8', 'M9']
test.each(STEPS)(
  'killed at %s and called again: one merge, the right files, the edits kept',
  async (step) => {
    const input = await approvedGoal({ 'a.txt': 'goal\n' })
    f.write('b.txt', 'edited by the person')
    const killed = {
      ...input,
      onStep: async (at: MergeStep) => {
        if (at === step) throw new Error('killed')
      },
    }
    await expect(f.git.mergeGoal(killed)).rejects.toThrow('killed')
    expect(await createGit({ home: f.home }).mergeGoal(input)).toMatchObject({ outcome: 'merged' })
    expect(mergeCount(input.mergeKey)).toBe(1)
    expect([read('a.txt'), read('b.txt')]).toEqual(['goal\n', 'edited by the person'])
    expect(f.sh(['status', '--porcelain'])).toBe(' M b.txt')
  },
)

/** What the person commits before a goal begins, and how it is taken out of the history while the goal works. */
const TAKEN_OUT: Record<string, { commit(): void; takeOut(): void }> = {
  'two commits of a secret by reset --soft': {
    commit() {
      f.commit({ '.env': 'KEY=s3cr3t\n' })
      f.sh(['rm', '-q', '.env'])
      f.commit({ 'c.txt': 'more\n' })
    },
    takeOut() {
      f.sh(['reset', '-q', '--soft', 'HEAD~2'])
      f.sh(['commit', '-q', '-m', 'history purged'])
    },
  },
  'a file by commit --amend': {
    commit: () => f.commit({ '.env': 'KEY=s3cr3t\n', 'c.txt': 'more\n' }),
    takeOut() {
      f.sh(['rm', '-q', '--cached', '.env'])
      f.sh(['commit', '-q', '--amend', '-m', 'history purged'])
    },
  },
  'an empty commit': {
    commit: () => f.sh(['commit', '-q', '--allow-empty', '-m', 'says a secret']),
    takeOut: () => f.sh(['reset', '-q', '--soft', 'HEAD~1']),
  },
  'all that was before': {
    commit: () => f.commit({ '.env': 'KEY=s3cr3t\n' }),
    takeOut() {
      f.sh(['checkout', '-q', '--orphan', 'anew'])
      f.sh(['rm', '-q', '--cached', '.env'])
      f.sh(['commit', '-q', '-m', 'history purged'])
      f.sh(['branch', '-q', '-M', 'anew', 'main'])
    },
  },
}
/** A goal of two tasks that began at commits which main does not hold any more. `own`: what the person has at the end. */
async function begunBefore(how: keyof typeof TAKEN_OUT) {
  TAKEN_OUT[how]?.commit()
  base = await f.git.importTarget({ projectId, repoPath: f.repo, target: 'main' })
  f.sh([
    '--git-dir',
    join(f.home, 'hubs', projectId, 'clean.git'),
    'branch',
    '-f',
    goalBranch,
    base,
  ])
  await integrate(await work('T-0', { 'b.txt': 'bee\nof the goal\n' }))
  const input = await approvedGoal({ 'a.txt': 'one\nof the goal\n' })
  TAKEN_OUT[how]?.takeOut()
  const own = f.sh(['log', '--format=%s', 'main']).split('\n')
  return { input, own }
}
const subjects = () => f.sh(['log', '--topo-order', '--format=%s', 'main']).split('\n')

test.each(Object.keys(TAKEN_OUT))(
  'what the person took out of the history while the goal worked does not come back with the merge: %s',
  async (how) => {
    const { input, own } = await begunBefore(how)
    const gone = base
    const merged = await f.git.mergeGoal(input)
    expect(merged).toMatchObject({
      ...{ outcome: 'merged', checkout: 'updated' },
      note: expect.stringContaining(`main does not hold ${gone.slice(0, 12)} any more`),
    })
    expect(subjects()).toEqual(['Merge G-1: the goal', 'T-1: work', 'T-0: work', ...own])
    expect(f.sh(['log', '--format=%H', 'main', '--', '.env'])).toBe('')
    expect(f.sh(['log', '-1', '--format=%(trailers:only)', 'main^2'])).toContain('Task: T-1')
    expect([read('a.txt'), read('b.txt')]).toEqual(['one\nof the goal\n', 'bee\nof the goal\n'])
    expect(f.sh(['status', '--porcelain', '-uno'])).toBe('')
    expect(f.sh(['fsck', '--strict'])).not.toMatch(/error|missing/)
    expect(await f.git.mergeGoal(input)).toEqual(merged)
  },
)

test('in another repository that is at the path by now nothing is merged before a person has seen it there', async () => {
  const input = await approvedGoal({ 'new.txt': 'goal\n' })
  rmSync(f.repo, { recursive: true })
  mkdirSync(f.repo)
  f.sh(['init', '-q', '-b', 'main'])
  const onto = f.commit({ 'theirs.txt': 'of something else\n' })
  const asked = await f.git.mergeGoal(input)
  expect(asked).toMatchObject({ outcome: 'base_moved', base: onto, foreign: true })
  expect([f.sh(['rev-parse', 'main']), f.sh(['status', '--porcelain'])]).toEqual([onto, ''])
  const { hash } = asked as { hash: string }
  const clash = f.commit({ 'new.txt': 'theirs\n' })
  expect(await f.git.mergeGoal(input)).toMatchObject({
    ...{ outcome: 'conflict', files: ['new.txt'], foreign: true },
  })
  f.sh(['revert', '--no-edit', clash])
  f.commit({ 'theirs.txt': 'more\n' })
  const approved = { ...input, approved: { base: onto, hash }, mergeKey: 'G-1/again' }
  expect(await f.git.mergeGoal(approved)).toMatchObject({ outcome: 'merged', checkout: 'updated' })
  expect(subjects().slice(0, 3)).toEqual(['Merge G-1: the goal', 'T-1: work', 'change'])
})

test('into another repository that names its commits in another way nothing is written, and it is told', async () => {
  const { goalHead, ...input } = await approvedGoal({ 'a.txt': 'goal\n' })
  renameSync(f.repo, join(f.folder, 'old'))
  mkdirSync(f.repo)
  f.sh(['init', '-q', '-b', 'main', '--object-format=sha256'])
  f.commit({ 'a.txt': 'one\n' })
  const [at, branch] = [{ projectId, repoPath: f.repo }, 'dispatch/G-1']
  for (const tried of [
    () => f.git.importTarget({ ...at, target: 'main' }),
    () => f.git.mergeGoal({ ...input, goalHead }),
    () => f.git.exportBranch({ ...at, branch, sha: goalHead }),
  ])
    await expect(tried()).rejects.toThrow(/^Another repository is in .* by sha256.* by sha1\. Put/)
  expect(readdirSync(join(f.repo, '.git/objects/pack'))).toEqual([])
})

test('a target that went on for long holds what the goal began at: the goal branch itself is merged', async () => {
  const input = await approvedGoal({ 'a.txt': 'goal\n' })
  for (let n = 0; n < 51; n++) f.sh(['commit', '-q', '--allow-empty', '-m', 'on'])
  expect(await f.git.mergeGoal(input)).toMatchObject({ outcome: 'merged', checkout: 'updated' })
  expect(f.sh(['rev-parse', 'main^2'])).toBe(input.goalHead)
})

test.each(STEPS)(
  'killed at %s with a part of the history taken out, and called again: one merge, and nothing comes back',
  async (step) => {
    const { input, own } = await begunBefore('two commits of a secret by reset --soft')
    const onStep = async (at: MergeStep) => {
      if (at === step) throw new Error('killed')
    }
    await expect(f.git.mergeGoal({ ...input, onStep })).rejects.toThrow('killed')
    const again = await createGit({ home: f.home }).mergeGoal(input)
    expect(again).toMatchObject({ outcome: 'merged', note: expect.stringContaining('any more') })
    expect(subjects()).toEqual(['Merge G-1: the goal', 'T-1: work', 'T-0: work', ...own])
    expect(f.sh(['status', '--porcelain'])).toBe('')
  },
)

test('with a part of the history taken out, a change that is another one there is asked for, and a clash is a conflict of the goal alone', async () => {
  const { input, own } = await begunBefore('two commits of a secret by reset --soft')
  const onto = f.commit({ 'a.txt': 'zero\none\n' }, 'near')
  const asked = await f.git.mergeGoal(input)
  expect(asked).toMatchObject({ outcome: 'base_moved', base: onto })
  const { hash, tree } = asked as { hash: string; tree: string }
  const shown = { projectId, onto, began: base, head: input.goalHead }
  expect(await f.git.previewMerge(shown)).toMatchObject({ clean: true, tree, own: true })
  f.commit({ 'a.txt': 'ours entirely\n' })
  const conflict = { outcome: 'conflict', files: ['a.txt'], own: true }
  expect(await f.git.mergeGoal(input)).toMatchObject(conflict)
  f.sh(['reset', '-q', '--hard', onto])
  const approved = { ...input, approved: { base: onto, hash }, mergeKey: 'G-1/again' }
  expect(await f.git.mergeGoal(approved)).toMatchObject({ outcome: 'merged' })
  expect(subjects().slice(3)).toEqual(['near', ...own])
  expect(read('a.txt')).toBe('zero\none\nof the goal\n')
})

test('killed before the checkout followed, and the person commits on the old files: that is told', async () => {
  const input = await killedAtM8({ 'a.txt': 'goal\n' })
  f.sh(['commit', '-q', '-a', '-m', 'on the stale checkout'])
  expect(show('main:a.txt')).toBe('one')
  expect(await f.git.mergeGoal(input)).toMatchObject({
    outcome: 'merged',
    checkout: 'stale',
    note: expect.stringContaining('git diff'),
  })
})

/** The goal is on main, and its files are not in the checkout, where the person goes on. */
async function killedAtM8(files: Record<string, string>): Promise<MergeGoalInput> {
  const input = await approvedGoal(files)
  const onStep = async (at: MergeStep) => {
    if (at === 'M8') throw new Error('killed')
  }
  await expect(f.git.mergeGoal({ ...input, onStep })).rejects.toThrow('killed')
  return input
}

test('killed before the checkout followed, and the person edits one of its files: nobody is told to commit, and a retry ends it', async () => {
  const more = { 'added.txt': 'goal\n', 'b.txt': 'bee\nand more\n', 'c.txt': 'seagull\n' }
  const input = await killedAtM8({ 'a.txt': 'goal\n', ...more })
  f.write('a.txt', 'one\nmine\n')
  const before = f.sh(['rev-parse', 'main^1']).slice(0, 12)
  f.write('c.txt', 'sea')
  const blocked = await f.git.mergeGoal(input)
  expect([read('b.txt'), read('c.txt')]).toEqual(['bee\n', 'sea'])
  f.sh(['checkout', before, '--', 'c.txt'])
  expect(blocked).toMatchObject({ outcome: 'blocked', code: 'dirty_files', files: ['a.txt'] })
  const { message } = blocked as { message: string }
  expect(message).toMatch(/Do not commit or stash there.*edits of a\.txt: copy/)
  expect(message).toContain(`\`git checkout ${before} -- FILE\``)
  expect(message).toMatch(/then retry the merge\.$/)
  expect(message).not.toContain('Commit, stash')
  f.sh(['checkout', before, '--', 'a.txt'])
  expect(await f.git.mergeGoal(input)).toMatchObject({ outcome: 'merged', checkout: 'updated' })
  expect([read('a.txt'), f.sh(['status', '--porcelain'])]).toEqual(['goal\n', ''])
})

test('the same where the goal ends: there is no retry, so the command that brings the files is told', async () => {
  const input = await killedAtM8({ 'a.txt': 'goal\n' })
  f.write('a.txt', 'one\nmine\n')
  const merged = await f.git.mergeGoal({ ...input, onlyFinish: true })
  expect(merged).toMatchObject({ outcome: 'merged', checkout: 'stale' })
  const { note } = merged as { note: string }
  expect(note).not.toContain('retry')
  f.sh(['checkout', 'main^1', '--', 'a.txt'])
  f.sh(/`git (read-tree [^`]+)`/.exec(note)?.[1]?.split(' ') ?? [])
  expect([read('a.txt'), f.sh(['status', '--porcelain'])]).toEqual(['goal\n', ''])
})

test.each([
  ['gives the branch another name', ['branch', '-m', 'main', 'trunk']],
  ['begins another branch there', ['checkout', '-q', '-b', 'next']],
  ['leaves the branch', ['checkout', '-q', '--detach']],
])(
  'killed before the checkout followed, and the person %s: the checkout follows',
  async (_, how) => {
    const input = await killedAtM8({ 'a.txt': 'goal\n' })
    f.sh(how)
    const ended = await f.git.mergeGoal({ ...input, onlyFinish: true })
    expect(ended).toMatchObject({ outcome: 'merged', commit: f.sh(['rev-parse', 'HEAD']) })
    expect([read('a.txt'), f.sh(['status', '--porcelain'])]).toEqual(['goal\n', ''])
  },
)

test('commits and branches are on the disk before anybody is told of them', async () => {
  const [bin, traces] = [join(f.folder, 'bin'), join(f.folder, 'traces')]
  mkdirSync(traces)
  f.write(
    'git',
    `#!/bin/sh\nGIT_TRACE2_EVENT=${traces} exec ${f.sh(['--exec-path'])}/git "$@"\n`,
    bin,
  )
  chmodSync(join(bin, 'git'), 0o700)
  const input = await approvedGoal({ 'a.txt': 'goal\n' })
  const traced = createGit({ home: f.home, path: `${bin}:/usr/bin:/bin` })
  expect(await traced.mergeGoal(input)).toMatchObject({ outcome: 'merged' })
  traced.close()
  const texts = readdirSync(traces).map((name) => readFileSync(join(traces, name), 'utf8'))
  const writers = texts.filter((text) => /"(commit-tree|update-ref|index-pack)"/.test(text))
  // the commit, its pack in the person's repository, and their branch
  expect(writers.length).toBeGreaterThanOrEqual(3)
  for (const text of writers) expect(text).toContain('fsync/hardware-flush')
})

test('git killed while it writes the files of a checkout: what it has written, also in part, counts as no edit of the person', async () => {
  const small = { 'a.txt': 'goal\n', 'aa/new.txt': 'goal\n', 'c.txt': 'goal\n' }
  const input = await approvedGoal({ ...small, 'big.txt': 'x'.repeat(2_000_000) })
  const bin = join(f.folder, 'bin')
  // who writes more than is allowed is killed, like by a machine that goes down
  const script =
    '#!/bin/sh\ncase "$*" in *" read-tree -m -u "*) ulimit -f 100 ;; esac\nexec git "$@"\n'
  f.write('git', script.replace('exec git', `exec ${f.sh(['--exec-path'])}/git`), bin)
  chmodSync(join(bin, 'git'), 0o700)
  const dying = createGit({ home: f.home, path: `${bin}:/usr/bin:/bin` })
  await expect(dying.mergeGoal(input)).rejects.toThrow(/read-tree/)
  dying.close()
  expect(existsSync(join(f.repo, '.git/index.lock'))).toBe(true)
  expect([read('a.txt'), existsSync(join(f.repo, 'c.txt'))]).toEqual(['goal\n', false])
  rmSync(join(f.repo, '.git/index.lock'))
  f.write('b.txt', 'edited since\n')
  expect(await f.git.mergeGoal(input)).toMatchObject({ outcome: 'merged', checkout: 'updated' })
  expect([read('c.txt'), f.sh(['status', '--porcelain'])]).toEqual(['goal\n', ' M b.txt'])
})

test('killed before the checkout followed, and the person merges something there: the same is told', async () => {
  const input = await killedAtM8({ 'a.txt': 'goal\n' })
  writeFileSync(join(f.repo, '.git/MERGE_HEAD'), `${base}\n`)
  const advice = /Do not commit or stash there.*git merge --abort`\), then/
  expect(await f.git.mergeGoal(input)).toMatchObject({
    ...{ outcome: 'blocked', code: 'in_progress_operation' },
    message: expect.stringMatching(new RegExp(`${advice.source} retry the merge\\.$`)),
  })
  expect(await f.git.mergeGoal({ ...input, onlyFinish: true })).toMatchObject({
    ...{ outcome: 'merged', checkout: 'stale' },
    note: expect.stringMatching(new RegExp(`${advice.source} run .git read-tree`)),
  })
})

test('a shallow repository that dropped what the work began at is not broken by the merge, which is possible once that is back', async () => {
  f.commit({ 'b.txt': 'second\n' })
  const repoPath = join(f.folder, 'shallow')
  const p2 = { projectId: 'p2', repoPath, target: 'main' }
  f.sh(['clone', '-q', '--depth=1', `file://${f.repo}`, repoPath], f.folder)
  const from = await f.git.importTarget(p2)
  const claim = { projectId: 'p2', key: 'T-1', base: from, branch: 'dispatch/T-1' }
  const { path } = await f.git.claimWorktree(claim)
  expect(f.sh(['log', '--format=%H'], path)).toBe(from)
  f.write('n.txt', 'new\n', path)
  const at = { projectId: 'p2', worktreePath: path }
  const { head } = await f.git.commitAll({ ...at, message: 'm', trailers: {} })
  await f.git.publish({ projectId: 'p2', head, key: 'T-1' })
  const { hash } = await f.git.diff({ projectId: 'p2', base: from, head })
  f.commit({ 'c.txt': 'third\n' })
  f.sh(['fetch', '-q', '--depth=1'], repoPath)
  f.sh(['reset', '-q', '--hard', 'origin/main'], repoPath)
  f.sh(['reflog', 'expire', '--expire=now', '--all'], repoPath)
  f.sh(['gc', '-q', '--prune=now'], repoPath)
  const merge = {
    ...p2,
    goalHead: head,
    began: from,
    approved: { base: from, hash },
    mergeKey: 'k',
  }
  const input = { ...merge, message: 'm', trailers: {}, intent: store() }
  const branch = 'dispatch/G-1'
  const kept = f.git.exportBranch({ projectId: 'p2', repoPath, branch, sha: head })
  await expect(kept).rejects.toThrow(/does not reach back to/)
  await expect(f.git.mergeGoal(input)).rejects.toThrow(/does not reach back to .*--unshallow/)
  f.sh(['fetch', '-q', '--unshallow'], repoPath)
  expect(await f.git.mergeGoal(input)).toMatchObject({ outcome: 'merged', checkout: 'updated' })
  expect(f.sh(['rev-list', '--count', 'main'], repoPath)).toBe('5')
  expect(f.sh(['fsck', '--strict'], repoPath)).not.toMatch(/error|missing|broken/)
})

test('commits the person makes in the last instant are never lost', async () => {
  const input = await approvedGoal({ 'a.txt': 'goal\n' })
  let count = 0
  const commitUntil = (limit: number) => async (at: MergeStep) => {
    if (at === 'M7' && count < limit) f.commit({ 'b.txt': `commit ${++count}\n` })
  }
  const busy = await f.git.mergeGoal({ ...input, onStep: commitUntil(5) })
  expect(busy).toMatchObject({ outcome: 'blocked', code: 'target_busy' })
  const merged = await f.git.mergeGoal({ ...input, onStep: commitUntil(7) })
  expect(merged).toMatchObject({ outcome: 'merged' })
  expect(f.sh(['rev-list', '--count', '--first-parent', `${base}..main`])).toBe('8')
  expect([read('a.txt'), read('b.txt')]).toEqual(['goal\n', 'commit 7\n'])
})

test('a commit that the person makes on the merge before its files are there is told, for it takes them out again', async () => {
  const input = await approvedGoal({ 'a.txt': 'goal\n' })
  const onStep = async (at: MergeStep) => {
    if (at === 'M8') f.commit({ 'b.txt': 'just now\n' })
  }
  const merged = await f.git.mergeGoal({ ...input, onStep })
  expect(merged).toMatchObject({ outcome: 'merged', checkout: 'stale' })
  const { note } = merged as { note: string }
  expect(note).toMatch(/^main got more commits, .* Look whether they undo it/)
  expect(show('main:a.txt')).toBe('one')
  f.sh(
    /`?git (checkout \w+ -- )FILE/.exec(note)?.[1]?.split(' ').concat('a.txt').filter(Boolean) ??
      [],
  )
  expect([read('a.txt'), read('b.txt')]).toEqual(['goal\n', 'just now\n'])
})

test('an edit that begins after the dry run takes the merge back', async () => {
  const input = await approvedGoal({ 'a.txt': 'goal\n' })
  const onStep = async (at: MergeStep) => {
    if (at === 'M8') f.write('a.txt', 'just now')
  }
  expect(await f.git.mergeGoal({ ...input, onStep })).toMatchObject({
    outcome: 'blocked',
    code: 'dirty_files',
  })
  expect([f.sh(['rev-parse', 'main']), read('a.txt')]).toEqual([base, 'just now'])
})

test("50 mergers at once, from five processes' worth of queues, make one commit", async () => {
  const input = await approvedGoal({ 'a.txt': 'goal\n' })
  const gits = Array.from({ length: 5 }, () => createGit({ home: f.home }))
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, i) => gits[i % 5]?.mergeGoal({ ...input, intent: store() })),
  )
  expect(new Set(results.map((r) => r?.outcome))).toEqual(new Set(['merged']))
  expect(mergeCount(input.mergeKey)).toBe(1)
  expect(f.sh(['status', '--porcelain'])).toBe('')
}, 60_000)

test('a branch of ours can be put into the repository, never another one', async () => {
  const task = await work('T-1', { 'a.txt': 'kept\n' })
  const where = { projectId, repoPath: f.repo, sha: task.head }
  await f.git.exportBranch({ ...where, branch: 'dispatch/T-1' })
  await f.git.exportBranch({ ...where, branch: 'dispatch/T-1' })
  expect(show('dispatch/T-1:a.txt')).toBe('kept')
  await expect(f.git.exportBranch({ ...where, branch: 'main' })).rejects.toThrow(
    /not one of Dispatch's/,
  )
  f.sh(['checkout', '-q', '-b', 'dispatch/mine'])
  f.commit({ 'mine.txt': 'x' })
  f.sh(['checkout', '-q', 'main'])
  await expect(f.git.exportBranch({ ...where, branch: 'dispatch/mine' })).rejects.toThrow(
    /not Dispatch's/,
  )
  expect(existsSync(join(f.repo, 'mine.txt'))).toBe(false)
})

/** Runs one merge in a process of its own, which says each step on stdout. */
function mergeInChild(input: MergeGoalInput): ChildProcess {
  const { intent: _none, ...plain } = input
  const script = `
    import { createGit } from ${JSON.stringify(new URL('./git.ts', import.meta.url).href)}
    await createGit({ home: ${JSON.stringify(f.home)} }).mergeGoal({
      ...${JSON.stringify(plain)},
      intent: { load: async () => undefined, begin: async () => true, save: async () => undefined },
      onStep: async (step) => { process.stdout.write(step + '\\n') },
    })`
  const args = ['--import', 'tsx', '--input-type=module', '-e', script]
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
}

test.each(['M2', 'M6', 'M7', 'M8'])(
  'the process is killed by SIGKILL just after %s begins',
  async (step) => {
    const input = await approvedGoal({ 'a.txt': 'goal\n' })
    f.write('b.txt', 'edited by the person')
    const child = mergeInChild(input)
    const gone = new Promise((done) => child.once('close', done))
    child.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.toString().includes(step)) child.kill('SIGKILL')
    })
    await gone
    expect(child.signalCode).toBe('SIGKILL') // and not by a mistake of its own before that
    // A git that the dead process had started may still be at work, which is part of the test.
    expect(await f.git.mergeGoal(input)).toMatchObject({ outcome: 'merged' })
    expect(mergeCount(input.mergeKey)).toBe(1)
    expect([read('a.txt'), read('b.txt')]).toEqual(['goal\n', 'edited by the person'])
    expect(f.sh(['status', '--porcelain'])).toBe(' M b.txt')
    expect(f.sh(['fsck', '--strict'])).not.toMatch(/error|missing/)
  },
  20_000,
)

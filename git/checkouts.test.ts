import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createFixture, type Fixture } from './fixture.ts'
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

import { expect, test } from 'vitest'
import type { Review, ReviewDiff } from '../../../../contracts/schemas.ts'
import { blockersOf, unseenOf } from './blockers.ts'
import { whatMoved } from './what-moved.ts'

const item = (id: string, result: 'pass' | 'fail' = 'pass') => ({
  id,
  text: id,
  result,
  evidence: null,
})
const file = (path: string, additions: number) => ({
  ...{ path, oldPath: null, status: 'modified', additions, deletions: 0, binary: false },
  ...{ risk: 'medium' as const, notes: [] },
})
const review = {
  ...{
    kind: 'task',
    tier: 'block',
    hash: 'h1',
    head: 'a'.repeat(40),
    base: 'b'.repeat(40),
    spec: null,
  },
  checklist: [item('REQ-1'), item('AC-1')],
  files: [file('a.ts', 1), file('b.ts', 2)],
} as unknown as Review

const ask = (more: Partial<Parameters<typeof blockersOf>[0]>) =>
  blockersOf({
    ...{ review, decision: 'approve', message: '', checked: ['REQ-1', 'AC-1'] },
    ...{ unloaded: 0, cut: 0, otherDiff: false, problems: 0, unfinished: 0, ...more },
  }).map(({ text }) => text)

test('approval wants every item of a blocking review, everything loaded, and edits that hold', () => {
  expect(ask({})).toEqual([])
  expect(ask({ checked: ['AC-1'] })).toEqual(['1 of 2 items to check'])
  expect(ask({ checked: [], review: { ...review, tier: 'notify' } })).toEqual([])
  expect(ask({ unfinished: 2 })).toEqual(['2 comments to add or cancel'])
  expect(ask({ unloaded: 2, otherDiff: true, problems: 1 })).toEqual([
    ...['2 files to load', 'The diff is not that of this review', '1 problem in your edits'],
  ])
  expect(ask({ cut: 1 })).toEqual([
    '1 file too large to show whole: read with git, then mark as viewed',
  ])
})

test('a diff that is on its way, could not be read, or is of another commit is no diff that was seen', () => {
  const about = { ...review, size: { files: 2, additions: 3, deletions: 0 } }
  const data = {
    ...{ base: about.base, head: about.head, hash: about.hash, previous: null, truncated: false },
    files: about.files.map((one) => ({ ...one, blob: 'c0', patch: '@@' })),
  } as ReviewDiff
  const choice = { against: 'base', whitespace: 'show', pending: false } as const
  const unseen = (shown: Partial<Parameters<typeof unseenOf>[1]>) =>
    ask(unseenOf(about, { ...choice, data, ...shown }, () => false))
  expect(unseen({})).toEqual([])
  expect(unseen({ data: undefined })).toEqual(['2 files to load'])
  expect(unseen({ data: { ...data, hash: 'h2' } })).toEqual(['The diff is not that of this review'])
  // compared with an earlier attempt the hash is another by right, the commit is not
  const since = { against: 'previous', data: { ...data, hash: 'h2' } } as const
  expect(unseen(since)).toEqual([])
  expect(unseen({ ...since, data: { ...data, head: 'c'.repeat(40) } })).toEqual([
    'The diff is not that of this review',
  ])
})

test('other decisions want words, and no more of them than fit', () => {
  expect(ask({ decision: 'request_changes', checked: [] })).toEqual(['Say what should change'])
  expect(ask({ decision: 'reject' })).toEqual(['Say why'])
  expect(ask({ decision: 'reject', message: 'no' })).toEqual([])
  expect(ask({ decision: 'request_changes', message: 'x'.repeat(20_010) })).toEqual([
    '10 characters too long',
  ])
})

test('what is another thing in a newer review of the same work is told in words', () => {
  const now = {
    ...review,
    ...{
      hash: 'h2',
      head: 'c'.repeat(40),
      files: [file('a.ts', 1), file('b.ts', 9), file('c.ts', 1)],
    },
    checklist: [item('REQ-1', 'fail'), item('AC-1')],
  }
  expect(whatMoved(review, now)).toEqual([
    'The commit is cccccccc, here it is aaaaaaaa.',
    '2 files changed: b.ts, c.ts',
    '1 checklist item judged anew.',
  ])
  expect(whatMoved(review, { ...review, hash: 'h3' })).toEqual([])
})

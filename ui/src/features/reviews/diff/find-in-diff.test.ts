import { expect, test } from 'vitest'
import { findInDiff } from './find-in-diff.ts'

const patch = [
  'diff --git a/a.ts b/a.ts',
  '--- a/a.ts',
  '+++ b/a.ts',
  '@@ -10,4 +10,4 @@ const total = 1',
  ' const total = 1',
  '-const Sum = total',
  '+const sum = total + @@ -1 +1 @@',
  ' end',
  ' ',
  '\\ No newline at end of file',
  '@@ -50 +50,2 @@',
  '-- total',
  '+++ total',
  '+two',
  '',
].join('\n')

test('lines are counted as the two files count them, and headers are not content', () => {
  expect(findInDiff([{ path: 'a.ts', patch }], 'total')).toEqual([
    { path: 'a.ts', side: 'additions', line: 10 },
    { path: 'a.ts', side: 'deletions', line: 11 },
    { path: 'a.ts', side: 'additions', line: 11 },
    { path: 'a.ts', side: 'deletions', line: 50 },
    { path: 'a.ts', side: 'additions', line: 50 },
  ])
})

test('a capital makes it exact; nothing finds nothing', () => {
  const at = [{ path: 'a.ts', patch }]
  expect(findInDiff(at, 'sum')).toHaveLength(2)
  expect(findInDiff(at, 'Sum')).toEqual([{ path: 'a.ts', side: 'deletions', line: 11 }])
  expect(findInDiff(at, '')).toEqual([])
  expect(findInDiff(at, 'nowhere')).toEqual([])
})

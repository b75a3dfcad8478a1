import { expect, test } from 'vitest'
import { fileTreeRows, inTreeOrder } from './file-tree-rows.ts'

const files = [
  'src/app/deep/b.ts',
  'README.md',
  'src/app/deep/a10.ts',
  'src/app/deep/a2.ts',
  'src/z.ts',
  'lib/x/y.ts',
].map((path) => ({ path }))

test('folders come first, alone in a folder they are one row, and names are in people’s order', () => {
  const rows = fileTreeRows(files).map((row) => `${' '.repeat(row.depth)}${row.label}`)
  expect(rows).toEqual([
    'lib/x',
    ' y.ts',
    'src',
    ' app/deep',
    '  a2.ts',
    '  a10.ts',
    '  b.ts',
    ' z.ts',
    'README.md',
  ])
})

test('a closed folder says how much is in it; the diff keeps the order', () => {
  const rows = fileTreeRows(files, new Set(['src']))
  expect(rows.find((row) => row.label === 'src')).toMatchObject({ kind: 'folder', files: 4 })
  expect(rows.map((row) => row.label)).toEqual(['lib/x', 'y.ts', 'src', 'README.md'])
  expect(inTreeOrder(files).map((file) => file.path)).toEqual([
    ...[
      'lib/x/y.ts',
      'src/app/deep/a2.ts',
      'src/app/deep/a10.ts',
      'src/app/deep/b.ts',
      'src/z.ts',
      'README.md',
    ],
  ])
})

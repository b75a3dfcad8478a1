import { expect, test } from 'vitest'
import { storable } from './storable.ts'

test.each([
  ['half a pair at the end', '😀'.slice(0, 1), '\ufffd'],
  ['half a pair at the beginning', 'a😀'.slice(-1), '\ufffd'],
  ['NULs', 'a\u0000\u0000b', 'a\ufffd\ufffdb'],
  ['whole pairs', 'a😀b', 'a😀b'],
  ['text that spells an escape', 'C:\\u0000 \\ud83d', 'C:\\u0000 \\ud83d'],
  ['a backslash before half a pair', '\\\ud83d', '\\\ufffd'],
])('%s', (_name, text, wanted) => {
  expect(storable(text)).toBe(wanted)
  expect(storable({ [text]: [text] })).toEqual({ [wanted]: [wanted] })
})

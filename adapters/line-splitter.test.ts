import { expect, test } from 'vitest'
import { createLineSplitter } from './line-splitter.ts'

test('lines are the same wherever the bytes are cut', () => {
  const bytes = Buffer.from('one\r\nzwei ✓ 🙂\n\nlast without newline')
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const splitter = createLineSplitter()
    const parts = [bytes.subarray(0, cut), bytes.subarray(cut)].flatMap((b) => splitter.push(b))
    const lines = [...parts, ...splitter.flush()].map((line) => line.text)
    expect(lines).toEqual(['one', 'zwei ✓ 🙂', '', 'last without newline'])
  }
})

test('a long line is cut, and the next one is whole', () => {
  const splitter = createLineSplitter(10)
  const lines = ['x'.repeat(8), 'x'.repeat(8), '\nnext\n'].flatMap((t) =>
    splitter.push(Buffer.from(t)),
  )
  expect(lines).toEqual([
    { text: 'x'.repeat(10), dropped: 6 },
    { text: 'next', dropped: 0 },
  ])
})

test('bytes that are not UTF-8 become a replacement character', () => {
  const [line] = createLineSplitter().push(Buffer.from([0x61, 0xff, 0x62, 0x0a]))
  expect(line?.text).toBe('a\ufffdb')
})

import { expect, test } from 'vitest'
import type { TranscriptEntry } from '../../../../../contracts/schemas.ts'
import { createBlocks, plainText } from './transcript-blocks.ts'

const AT = '2026-01-01T00:00:00.000Z'
const LATER = '2026-01-01T00:00:05.000Z'
const entry = (
  seq: number,
  kind: string,
  content: Record<string, unknown>,
  at = AT,
): TranscriptEntry => ({ seq, at, role: 'agent', kind, content })
const said = (seq: number, text: string) => entry(seq, 'text', { text })
const call = (seq: number, callId: string) =>
  entry(seq, 'tool', { callId, name: 'shell', input: `run ${callId}` })
const result = (seq: number, callId: string, ok = true) =>
  entry(seq, 'tool_result', { callId, ok, output: `out ${callId}` }, LATER)

test('pieces of words are joined, a tool has its result in it, whichever came between', () => {
  const blocks = createBlocks()
  blocks.append([said(1, 'I re'), said(2, 'ad it.'), call(3, 'a'), call(4, 'b'), said(5, 'Mean')])
  blocks.append([result(6, 'b', false), result(7, 'a'), said(8, 'while')])
  expect(blocks.list).toMatchObject([
    { key: 1, type: 'said', text: 'I read it.' },
    { key: 3, type: 'tool', input: 'run a', ok: true, output: 'out a', until: LATER },
    { key: 4, type: 'tool', input: 'run b', ok: false },
    { key: 5, type: 'said', text: 'Meanwhile' },
  ])
  expect(blocks.appended).toBe(4)
})

test('what changes is a new object, what does not stays the same one', () => {
  const blocks = createBlocks()
  blocks.append([call(1, 'a'), said(2, 'x')])
  const [tool, words] = blocks.list
  blocks.append([result(3, 'a')])
  expect(blocks.list[0]).not.toBe(tool)
  expect(blocks.list[1]).toBe(words)
})

test('usage shows nothing; a correction is one block that moves on', () => {
  const blocks = createBlocks()
  expect(blocks.append([entry(1, 'usage', { usage: {} })])).toBe(false)
  blocks.append([entry(2, 'correction', { id: 'c', state: 'delivered' }), said(3, 'ok')])
  blocks.append([entry(4, 'correction', { id: 'c', state: 'applied' })])
  expect(blocks.list).toMatchObject([{ type: 'correction', state: 'applied' }, { type: 'said' }])
})

test('a correction in the middle of a word does not break it', () => {
  const blocks = createBlocks()
  blocks.append([said(1, 'the other. O'), entry(2, 'correction', { id: 'c', state: 'delivered' })])
  blocks.append([said(3, 'n'), said(4, 'e word'), said(5, ' more')])
  expect(blocks.list).toMatchObject([
    { type: 'said', text: 'the other. One' },
    { type: 'correction' },
    { type: 'said', text: ' word more' },
  ])
})

test('words are cut at a line once they are long, at a word where no line ends, and a fence goes on', () => {
  const blocks = createBlocks()
  const line = `${'word '.repeat(20)}\n`
  blocks.append([said(1, '```\n')])
  for (let seq = 2; seq < 60; seq += 1) blocks.append([said(seq, line)])
  expect(blocks.list.length).toBeGreaterThan(2)
  expect(blocks.list[1]).toMatchObject({ fenced: true })
  expect(blocks.list.map(plainText).join('')).toBe(`\`\`\`\n${line.repeat(58)}`)
  for (const block of blocks.list) expect(plainText(block).length).toBeLessThan(2_000)

  const endless = createBlocks()
  for (let seq = 1; seq < 3_000; seq += 1) endless.append([said(seq, 'word ')])
  expect(endless.list.length).toBeGreaterThan(3)
  expect(endless.list.map(plainText).join('')).toBe('word '.repeat(2_999))
})

test('older pages are put before: words at the seam are joined, a call finds its result', () => {
  const all = [said(1, 'begin '), call(2, 'a'), said(3, 'a wo'), said(4, 'rd'), result(5, 'a')]
  const whole = createBlocks()
  whole.append(all)
  const paged = createBlocks()
  paged.append(all.slice(3))
  paged.prepend(all.slice(1, 3))
  paged.prepend(all.slice(0, 1))
  expect(paged.list).toMatchObject([
    { key: 1, text: 'begin ' },
    { key: 2, type: 'tool', input: 'run a', output: 'out a', ok: true },
    { key: 3, text: 'a word' },
  ])
  expect(paged.list).toEqual(whole.list)
  paged.append([said(6, ' ends')])
  expect(paged.list.at(-1)).toMatchObject({ text: 'a word ends' })
})

test('a call that was read before its result is at work still finds it', () => {
  const blocks = createBlocks()
  blocks.append([said(3, 'x')])
  blocks.prepend([call(1, 'a'), call(2, 'b')])
  blocks.append([result(4, 'b')])
  expect(blocks.list).toMatchObject([
    { ok: undefined },
    { callId: 'b', ok: true },
    { type: 'said' },
  ])
})

test('notes say what happened in words', () => {
  const blocks = createBlocks()
  blocks.append([
    entry(1, 'session', { sessionId: 's', model: 'm-1' }),
    entry(2, 'retry', { detail: 'too busy', reason: 'overloaded' }),
    entry(3, 'failed', { reason: 'auth', detail: 'Not logged in' }),
    entry(4, 'notice', { level: 'info', text: 'stderr line' }),
  ])
  expect(blocks.list.map(plainText)).toEqual([
    'Session with m-1',
    'Trying again: too busy',
    'Not logged in',
    'stderr line',
  ])
})

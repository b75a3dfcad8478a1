import { expect, test } from 'vitest'
import type { TranscriptEntry } from '../../../contracts/schemas.ts'
import { lastSaid } from './last-said.ts'

let seq = 0
const entry = (kind: string, content: Record<string, unknown>): TranscriptEntry => {
  seq += 1
  return { seq, at: '2026-05-01T12:00:00Z', role: 'agent', kind, content }
}
const text = (piece: string) => entry('text', { text: piece })

test('pieces of words at the end are one line', () => {
  expect(lastSaid([text('first\nI re'), text('ad the '), text('project.')])).toBe(
    'I read the project.',
  )
})

test('a piece of an answer in JSON is no line to read', () => {
  expect(lastSaid([text('{"sum'), text('mary":"A')])).toBe('Writes its answer')
  expect(lastSaid([text('x'.repeat(160)), text('shown.","check":"Search the diff')])).toBe(
    'Writes its answer',
  )
})

test('what was done last is told when nothing was said after it', () => {
  const tool = entry('tool', { name: 'Bash', input: 'npm test' })
  expect(lastSaid([text('Now the tests.'), tool, entry('usage', {})])).toBe('Bash npm test')
  expect(lastSaid([tool, text('They pass.')])).toBe('They pass.')
})

test('a transcript that says nothing has no last line', () => {
  expect(lastSaid([])).toBeUndefined()
  expect(lastSaid([text('  \n'), entry('session', { sessionId: 'x' })])).toBeUndefined()
})

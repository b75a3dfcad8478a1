import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createTranslator } from './translator.ts'
import type { GeminiMessage } from './wire.ts'

/** What stopped Gemini CLI, after messages of its stream. */
function stoppedAt(...messages: GeminiMessage[]): string | undefined {
  const translator = createTranslator('/home/person/project')
  for (const message of messages) translator.read(message)
  return translator.stoppedBy()
}

const words: GeminiMessage = { type: 'message', role: 'assistant', content: 'Done.' }
const tool: GeminiMessage = { type: 'tool_use', tool_name: 'glob', tool_id: 't-1', parameters: {} }
const success: GeminiMessage = { type: 'result', status: 'success' }
/** Its loops are warnings, and it says success after them. */
const loop: GeminiMessage = { type: 'error', message: 'Loop detected, stopping execution' }

test('what Gemini CLI warned of stopped it when nothing came after', () => {
  expect(stoppedAt(words, loop, success)).toBe('Loop detected, stopping execution')
})

test.each([
  ['words', words],
  ['a tool', tool],
] as const)('who goes on after a warning, with %s, was not stopped by it', (_, next) => {
  const warning: GeminiMessage = { type: 'error', message: 'A server could not be reached.' }
  expect(stoppedAt(words, warning, next, success)).toBeUndefined()
})

test('a file that a tool has made before its line is read is one that it created', () => {
  const folder = mkdtempSync(join(tmpdir(), 'dispatch-gemini-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'one.txt'), '')
  const changeBy = (began: number) => {
    const translator = createTranslator(folder)
    const call = { tool_name: 'write_file', tool_id: 't-1', parameters: { file_path: 'one.txt' } }
    translator.read({ type: 'tool_use', ...call, timestamp: new Date(began).toISOString() })
    const { events } = translator.read({ type: 'tool_result', tool_id: 't-1', status: 'success' })
    return events.find((event) => event.type === 'file')?.change
  }
  expect([changeBy(Date.now() - 1_000), changeBy(Date.now() + 1_000)]).toEqual(['create', 'edit'])
})

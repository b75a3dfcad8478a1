import { expect, test } from 'vitest'
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

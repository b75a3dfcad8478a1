import type { PromptResponse } from '@agentclientprotocol/sdk'
import { expect, test } from 'vitest'
import { createTranslator, usageOf } from './translator.ts'

test("a call whose end is not told is over with its turn: the silence of the next one is the model's", () => {
  const translator = createTranslator('/work')
  translator.turn()
  const call = { toolCallId: '1', title: 'make', status: 'in_progress' } as const
  translator.read({ sessionUpdate: 'tool_call', ...call })
  expect(translator.toolsAtWork()).toBe(1)
  translator.turn()
  expect(translator.toolsAtWork()).toBe(0)
})

test.each([
  ['only what it said', { usage: { outputTokens: 50 } }],
  ['only a sum', { usage: { totalTokens: 5000 } }],
  ['only what it read', { _meta: { quota: { token_count: { input_tokens: 5000 } } } }],
])('an agent that tells %s tells no count: the rest is unknown, not zero', (_what, told) => {
  expect(usageOf({ stopReason: 'end_turn', ...told } as unknown as PromptResponse)).toBeUndefined()
})

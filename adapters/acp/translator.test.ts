import { expect, test } from 'vitest'
import { createTranslator } from './translator.ts'

test("a call whose end is not told is over with its turn: the silence of the next one is the model's", () => {
  const translator = createTranslator('/work')
  translator.turn()
  const call = { toolCallId: '1', title: 'make', status: 'in_progress' } as const
  translator.read({ sessionUpdate: 'tool_call', ...call })
  expect(translator.toolsAtWork()).toBe(1)
  translator.turn()
  expect(translator.toolsAtWork()).toBe(0)
})

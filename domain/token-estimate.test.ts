import { expect, test } from 'vitest'
import { NO_USAGE } from '../contracts/agent.ts'
import { createTokenEstimate } from './token-estimate.ts'

const FRESH = { before: 0, told: false }
const text = { type: 'text', text: 'x'.repeat(40) } as const
const tool = { type: 'tool', callId: '1', name: 'read', input: 'y'.repeat(40) } as const
const result = { type: 'tool_result', callId: '1', ok: true, output: 'z'.repeat(400) } as const

test('a run that tells no tokens is estimated: each response reads all that was said before', () => {
  const estimate = createTokenEstimate({ prompt: 'p'.repeat(4000), ...FRESH })
  expect(estimate([])).toBe(0)
  expect(estimate([text, tool])).toBe(1000 + 20)
  expect(estimate([result])).toBe(1020)
  expect(estimate([text])).toBe(1020 + 1000 + 20 + 100 + 10)
})

test('what the agent tells is worth more; another worker goes on with what was estimated', () => {
  const estimate = createTokenEstimate({ prompt: '', before: 500, told: false })
  expect(estimate([])).toBe(500)
  expect(estimate([text, { type: 'usage', usage: NO_USAGE }, text])).toBe(0)
})

import { expect, test } from 'vitest'
import type { AgentEvent, FailureReason } from '../contracts/agent.ts'
import { NO_USAGE } from '../contracts/agent.ts'
import { createTokenEstimate } from './token-estimate.ts'

const session = { type: 'session', sessionId: 's' } as const
const text = { type: 'text', text: 'x'.repeat(40) } as const
const tool = { type: 'tool', callId: '1', name: 'read', input: 'y'.repeat(40) } as const
const result = { type: 'tool_result', callId: '1', ok: true, output: 'z'.repeat(400) } as const
const usage = { type: 'usage', usage: { ...NO_USAGE, input: 1 } } as const
const applied = { type: 'correction', id: 'c-1', state: 'applied' } as const
const failed = (reason: FailureReason): AgentEvent => ({ type: 'failed', reason, detail: '' })
const PROMPT = 'p'.repeat(4000)

test('a run that tells no tokens is estimated: each request reads all that was said before', () => {
  const estimate = createTokenEstimate(PROMPT)
  expect(estimate([])).toBe(0)
  expect(estimate([session])).toBe(1000)
  expect(estimate([text, tool])).toBe(1000 + 20)
  expect(estimate([result])).toBe(1020 + 1000 + 20 + 100)
  // another result of the same answer is in the same request
  expect(estimate([result])).toBe(2140 + 100)
  expect(estimate([text])).toBe(2240 + 10)
})

test('what the agent tells is worth more; what comes after that is estimated again, until it tells that too', () => {
  const estimate = createTokenEstimate(PROMPT)
  expect(estimate([session, text, usage])).toBe(0)
  // of the answer that was counted, told late
  expect(estimate([tool])).toBe(10)
  expect(estimate([usage])).toBe(0)
  // another turn of an agent that tells at the end of each
  expect(estimate([applied])).toBe(1000 + 20)
  expect(estimate([text, tool, result])).toBe(1020 + 20 + 1000 + 20 + 20 + 100)
  expect(estimate([usage])).toBe(0)
})

test('who tells of no token at all does not know: a request is answered with some', () => {
  const estimate = createTokenEstimate(PROMPT)
  const none = { type: 'usage', usage: NO_USAGE } as const
  expect(estimate([session, text, none])).toBe(1000 + 10)
  expect(estimate([usage])).toBe(0)
})

test('a request that ends before its first word may be billed, and is counted', () => {
  for (const reason of ['hung', 'crash', 'network', 'interrupted'] as const) {
    const estimate = createTokenEstimate(PROMPT)
    expect(estimate([session, failed(reason)]), reason).toBe(1000)
  }
  const later = createTokenEstimate(PROMPT)
  expect(later([session, text, usage, result, failed('hung')])).toBe(1000 + 10 + 100)
})

test('a request that was refused, or never made, costs nothing; those before it do', () => {
  for (const reason of ['auth', 'rate_limit', 'quota', 'overloaded', 'missing'] as const) {
    const estimate = createTokenEstimate(PROMPT)
    // some agents say in words why they fail
    expect(estimate([session, text, failed(reason)]), reason).toBe(0)
    const later = createTokenEstimate(PROMPT)
    expect(later([session, text, result, failed(reason)]), reason).toBe(1000 + 10)
  }
  const untold = createTokenEstimate(PROMPT)
  expect(untold([{ ...session, ahead: true }, failed('interrupted')])).toBe(0)
})

test('a request that broke and is made again may be billed twice, and no count tells of the first; a refused one is billed once', () => {
  const again = (reason: FailureReason): AgentEvent =>
    ({ type: 'retry', attempt: 1, reason, delayMs: 0, detail: '' }) as const
  const estimate = createTokenEstimate(PROMPT)
  expect(estimate([session, again('network')])).toBe(1000 + 1000)
  expect(estimate([text, usage])).toBe(1000)
  // told as it began: what it said until it broke
  expect(estimate([result, usage, text, again('network'), usage])).toBe(1000 + 10)
  const refused = createTokenEstimate(PROMPT)
  expect(refused([session, again('overloaded'), again('rate_limit')])).toBe(1000)
  expect(refused([text, usage])).toBe(0)
})

test('who goes on with a run sees what was said before, and estimates the same', () => {
  const turn = [text, result] as const
  const one = createTokenEstimate(PROMPT)
  one([session, ...turn, ...turn])
  const other = createTokenEstimate(PROMPT)
  other([session])
  other([...turn, ...turn])
  expect(other(turn)).toBe(one(turn))
})

import { expect, test } from 'vitest'
import type { AgentEvent } from '../contracts/agent.ts'
import { createIntake } from './intake.ts'

const stored = (...events: unknown[]): AgentEvent[] => {
  const all: AgentEvent[] = []
  const intake = createIntake({}, (event) => all.push(event))
  for (const event of events) intake.add(event as AgentEvent)
  return all
}
const usage = (counts: object, costUsd?: unknown) => ({
  type: 'usage',
  usage: { input: 7, output: 3, cacheRead: 0, cacheWrite: 0, reasoning: 0, ...counts },
  ...(costUsd === undefined ? {} : { costUsd }),
})

test('what an agent tells of tokens and cost can be stored and summed, whatever it tells', () => {
  expect(stored(usage({}, 0.25))).toEqual([usage({}, 0.25)])
  const odd = { input: 12.4, output: -5, cacheRead: 1e19, cacheWrite: '40', reasoning: 'many' }
  expect(stored(usage(odd, 1e9), usage({ input: Number.NaN }, '1'), usage({}, -1))).toEqual([
    usage({ input: 12, output: 0, cacheRead: 1e12, cacheWrite: 40, reasoning: 0 }),
    usage({ input: 0 }),
    usage({}),
  ])
})

test('an answer whose lists are in each other without end is an answer: what is too deep is dropped', () => {
  const output: unknown = JSON.parse(`{"a":1,"b":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)
  const [event] = stored({ type: 'done', text: 'Done.', output })
  expect(event).toMatchObject({ type: 'done', text: 'Done.', output: { a: 1 } })
  expect(JSON.stringify(event)).toContain('too deep: dropped')
})

import { expect, test } from 'vitest'
import type { Candidate } from './auto-model.ts'
import { nobodyIsThere } from './nobody-is-there.ts'

const agent = (adapter: string, more: Partial<Candidate> = {}): Candidate => ({
  ...{ adapter, title: adapter, found: true, login: 'ready', demo: false },
  ...more,
})

test('nobody is there when all that a profile names were looked for and not found', () => {
  const gone = [agent('claude', { found: false }), agent('codex', { found: false })]
  const demo = agent('demo', { demo: true })
  const named = (spec: string, ...instead: string[]) => ({
    stages: { spec: { adapter: spec }, verify: { adapter: 'claude' } },
    fallbacks: instead.map((adapter) => ({ adapter })),
  })
  expect(nobodyIsThere(named('codex', 'claude', 'auto'), [...gone, demo])).toBe(true)
  expect(nobodyIsThere(named('codex', 'auto'), [...gone, agent('gemini')])).toBe(false)
  expect(nobodyIsThere(named('demo'), [...gone, demo])).toBe(false)
  // what nobody looked for yet may be there
  expect(nobodyIsThere(named('acp:mine'), gone)).toBe(false)
  expect(nobodyIsThere(named('codex'), [])).toBe(false)
})

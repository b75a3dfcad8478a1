import { describe, expect, it } from 'vitest'
import type { Detection } from '../contracts/agent.ts'
import { type AgentWanted, type Candidate, chooseAgent } from './auto-model.ts'
import type { Allowance } from './budget.ts'

const agent = (adapter: string, more: Partial<Detection> = {}): Detection => ({
  adapter,
  title: adapter[0]?.toUpperCase() + adapter.slice(1),
  found: true,
  login: 'ready',
  demo: false,
  ...more,
})
const ALL = [agent('claude'), agent('codex'), agent('gemini'), agent('demo', { demo: true })]

type Asked = Pick<AgentWanted, 'for' | 'text'> & Partial<AgentWanted>
const choose = (wanted: Asked, candidates: readonly Candidate[]) =>
  chooseAgent({ coolingUntil: {}, budgets: [], ...wanted }, candidates)
const budget = (scope: Allowance['scope'], budget: number, used = 0): Allowance => ({
  ...{ scope, budget, used, reserved: 0 },
})

describe('the agent of a stage or a mission', () => {
  it.each([
    ['mission', 'Compare Kafka and NATS', 'gemini', 'gemini-2.5-flash'],
    ['mission', 'Audit the login for XSS', 'claude', 'haiku'],
    ['implement', 'Refactor the parser', 'claude', undefined],
    ['implement', 'Redesign the settings page', 'gemini', undefined],
    ['frontend', 'Refactor the parser', 'gemini', undefined],
    ['spec', 'Refactor the parser', 'codex', undefined],
    ['audit', 'Refactor the parser', 'claude', undefined],
  ] as const)('%s "%s" goes to %s', (purpose, text, adapter, model) => {
    const choice = choose({ for: purpose, text }, ALL)
    expect(choice).toMatchObject({ adapter })
    expect(choice?.model).toBe(model)
  })

  it('says why, and why not the one that would suit better', () => {
    const wanted: Asked = { for: 'spec', text: 'x' }
    const detections = [agent('claude'), agent('codex', { login: 'needed' })]
    expect(choose(wanted, detections)?.reason).toBe(
      'Claude: the stage is spec; codex is not logged in.',
    )
  })

  it('routes around an agent that cools down, and waits for the first when all do', () => {
    const wanted: Asked = {
      for: 'verify',
      text: 'x',
      coolingUntil: { claude: '2026-01-02T00:00:00Z' },
    }
    expect(choose(wanted, ALL)).toMatchObject({
      adapter: 'codex',
      reason: 'Codex: the stage is verify; claude is limited until 2026-01-02 00:00 UTC.',
    })
    const coolingUntil = {
      claude: '2026-01-03T00:00:00Z',
      codex: '2026-01-02T00:00:00Z',
      gemini: '2026-01-04T00:00:00Z',
    }
    expect(choose({ ...wanted, coolingUntil }, ALL)?.adapter).toBe('codex')
  })

  it.each([
    [
      'implement',
      'Fix the typo in the greeting',
      'haiku',
      'a small one ("fix the typo"), a quick model will do',
    ],
    ['verify', 'Fix the typo in the greeting', undefined, undefined],
    ['mission', 'Fix the typo in the greeting', 'haiku', 'speed first'],
    [
      'implement',
      'Build the auth module',
      undefined,
      'a large one ("build the auth module"), no quick model',
    ],
    [
      'mission',
      'Build the auth module',
      undefined,
      'a large one ("build the auth module"), no quick model',
    ],
    ['implement', 'Refactor the parser', undefined, undefined],
  ] as const)('%s "%s": as big a model as that takes', (purpose, text, model, why) => {
    const choice = choose({ for: purpose, text }, [agent('claude')])
    expect(choice?.model).toBe(model)
    expect(choice?.reason.split('; ').at(1)).toBe(why && `${why}.`)
  })

  it.each([
    ['a fifth of the day is left', budget('day', 1_000_000, 800_000), undefined, undefined],
    [
      'less than a fifth of it is',
      budget('day', 1_000_000, 800_001),
      'haiku',
      "little of the day's budget of 1.0M tokens is left",
    ],
    [
      'what others hold is not left',
      { ...budget('day', 1_000_000, 500_000), reserved: 400_000 },
      'haiku',
      "little of the day's budget of 1.0M tokens is left",
    ],
    ['a small goal', budget('goal', 200_000), 'haiku', "the goal's budget of 200k tokens is small"],
    ['a goal with enough', budget('goal', 210_000), undefined, undefined],
  ] as const)('the budget, %s', (_what, one, model, why) => {
    const wanted: Asked = { for: 'verify', text: 'Refactor the parser', budgets: [one] }
    const choice = choose(wanted, [agent('claude')])
    expect(choice?.model).toBe(model)
    expect(choice?.reason).toBe(`Claude: the stage is verify${why ? `; ${why}` : ''}.`)
  })

  it('says nothing of a quick model to those who have none', () => {
    const wanted: Asked = { for: 'spec', text: 'Fix the typo', budgets: [budget('goal', 1000)] }
    expect(choose(wanted, [agent('codex')])).toEqual({
      ...{ adapter: 'codex', reason: 'Codex: the stage is spec.' },
    })
  })

  it('never chooses the demo agent, and nothing where nothing is installed', () => {
    const wanted: Asked = { for: 'mission', text: 'x' }
    expect(choose(wanted, [agent('demo', { demo: true })])).toBeUndefined()
    expect(choose(wanted, [agent('claude', { found: false })])).toBeUndefined()
  })

  it('takes one that is not logged in when there is no other: its failure says what to do', () => {
    expect(
      choose({ for: 'spec', text: 'x' }, [agent('gemini', { login: 'needed' })]),
    ).toMatchObject({
      adapter: 'gemini',
    })
  })
})

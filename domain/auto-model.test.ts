import { describe, expect, it } from 'vitest'
import type { Detection } from '../contracts/agent.ts'
import { type AgentWanted, chooseAgent } from './auto-model.ts'

const agent = (adapter: string, more: Partial<Detection> = {}): Detection => ({
  adapter,
  title: adapter[0]?.toUpperCase() + adapter.slice(1),
  found: true,
  login: 'ready',
  demo: false,
  ...more,
})
const ALL = [agent('claude'), agent('codex'), agent('gemini'), agent('demo', { demo: true })]

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
    const choice = chooseAgent({ for: purpose, text }, ALL)
    expect(choice).toMatchObject({ adapter })
    expect(choice?.model).toBe(model)
  })

  it('says why, and why not the one that would suit better', () => {
    const wanted: AgentWanted = { for: 'spec', text: 'x' }
    const detections = [agent('claude'), agent('codex', { login: 'needed' })]
    expect(chooseAgent(wanted, detections)?.reason).toBe(
      'Claude: the stage is spec; codex is not logged in.',
    )
  })

  it('routes around an agent that cools down, and waits for the first when all do', () => {
    const wanted: AgentWanted = {
      for: 'verify',
      text: 'x',
      coolingUntil: { claude: '2026-01-02T00:00:00Z' },
    }
    expect(chooseAgent(wanted, ALL)).toMatchObject({
      adapter: 'codex',
      reason: 'Codex: the stage is verify; claude is limited until 2026-01-02 00:00 UTC.',
    })
    const coolingUntil = {
      claude: '2026-01-03T00:00:00Z',
      codex: '2026-01-02T00:00:00Z',
      gemini: '2026-01-04T00:00:00Z',
    }
    expect(chooseAgent({ ...wanted, coolingUntil }, ALL)?.adapter).toBe('codex')
  })

  it('takes a cheaper model when little budget is left', () => {
    expect(chooseAgent({ for: 'implement', text: 'x', thrifty: true }, ALL)).toMatchObject({
      adapter: 'claude',
      model: 'haiku',
    })
  })

  it('never chooses the demo agent, and nothing where nothing is installed', () => {
    const wanted: AgentWanted = { for: 'mission', text: 'x' }
    expect(chooseAgent(wanted, [agent('demo', { demo: true })])).toBeUndefined()
    expect(chooseAgent(wanted, [agent('claude', { found: false })])).toBeUndefined()
  })

  it('takes one that is not logged in when there is no other: its failure says what to do', () => {
    expect(
      chooseAgent({ for: 'spec', text: 'x' }, [agent('gemini', { login: 'needed' })]),
    ).toMatchObject({
      adapter: 'gemini',
    })
  })
})

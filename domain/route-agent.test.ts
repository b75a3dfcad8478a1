import { expect, test } from 'vitest'
import type { Candidate } from './auto-model.ts'
import { type RouteWanted, routeAgent } from './route-agent.ts'

const agent = (adapter: string, more: Partial<Candidate> = {}): Candidate => ({
  ...{ adapter, title: adapter, found: true, login: 'ready', demo: false },
  ...more,
})
const all = [agent('claude'), agent('codex'), agent('gemini')]
const until = '2026-01-31T12:00:00.000Z'
const wanted = ({
  coolingUntil = { claude: until },
  ...more
}: Partial<RouteWanted>): RouteWanted => ({
  ...{ stage: 'verify', text: 'Fix the login', assigned: { adapter: 'claude' } },
  ...{ fallbacks: [], coolingUntil, pausedUntil: coolingUntil, budgets: [] },
  ...more,
})

test('the agent of the profile works unless its provider limits it', () => {
  const route = routeAgent(wanted({ coolingUntil: { codex: until } }), all)
  expect(route).toEqual({ type: 'assigned', agent: { adapter: 'claude' } })
})

test('without a fallback it waits; with one that is ready, that one works and says why', () => {
  expect(routeAgent(wanted({}), all)).toEqual({ type: 'limited', until })
  const fallbacks = [{ adapter: 'gemini' }, { adapter: 'codex', model: 'gpt-5' }]
  expect(routeAgent(wanted({ fallbacks }), all)).toMatchObject({
    type: 'instead',
    agent: { adapter: 'gemini' },
    reason: `gemini instead of claude, which its provider limits until 2026-01-31 12:00 UTC`,
  })
  const cooling = { claude: until, gemini: until }
  expect(routeAgent(wanted({ fallbacks, coolingUntil: cooling }), all)).toMatchObject({
    agent: { adapter: 'codex', model: 'gpt-5' },
  })
})

test('one whose own pause is nearly over takes its place only where nobody else is free', () => {
  const fallbacks = [{ adapter: 'gemini' }, { adapter: 'codex' }]
  const pausedUntil = { claude: until, gemini: '2026-01-01T12:00:30.000Z' }
  expect(routeAgent(wanted({ fallbacks, pausedUntil }), all)).toMatchObject({
    agent: { adapter: 'codex' },
  })
  const auto = [{ adapter: 'auto' }]
  const codex = { claude: until, codex: '2026-01-01T12:00:30.000Z' }
  expect(routeAgent(wanted({ fallbacks: auto, pausedUntil: codex }), all)).toMatchObject({
    agent: { adapter: 'gemini' },
  })
  expect(routeAgent(wanted({ fallbacks: fallbacks.slice(0, 1), pausedUntil }), all)).toMatchObject({
    agent: { adapter: 'gemini' },
  })
})

test.each([
  ['is not installed', agent('codex', { found: false })],
  ['is not logged in', agent('codex', { login: 'needed' })],
])('one that %s does not take its place', (_why, codex) => {
  const route = routeAgent(wanted({ fallbacks: [{ adapter: 'codex' }] }), [agent('claude'), codex])
  expect(route.type).toBe('limited')
})

test('auto takes what suits the stage best of those that are free; when all are limited, it waits', () => {
  const fallbacks = [{ adapter: 'auto' }]
  expect(routeAgent(wanted({ fallbacks }), all)).toMatchObject({ agent: { adapter: 'codex' } })
  const coolingUntil = { claude: until, codex: until, gemini: until }
  expect(routeAgent(wanted({ fallbacks, coolingUntil }), all).type).toBe('limited')
  expect(routeAgent(wanted({ fallbacks }), [agent('claude')]).type).toBe('limited')
})

test.each([
  ['is not installed', agent('codex', { found: false })],
  ['is not logged in', agent('codex', { login: 'needed' })],
])(
  'where the agent of the profile %s, the first fallback that is ready works and says so',
  (why, codex) => {
    const spec = { assigned: { adapter: 'codex' }, coolingUntil: {} }
    const found = [agent('claude'), codex]
    const fallbacks = [{ adapter: 'gemini' }, { adapter: 'claude' }]
    expect(routeAgent(wanted({ ...spec, fallbacks }), found)).toEqual({
      ...{ type: 'instead', agent: { adapter: 'claude' } },
      reason: `claude instead of codex, which ${why}`,
    })
    // nobody else: it is asked itself, and its failure says what to do
    expect(routeAgent(wanted(spec), found).type).toBe('assigned')
    expect(routeAgent(wanted({ ...spec, fallbacks: [{ adapter: 'auto' }] }), [codex]).type).toBe(
      'assigned',
    )
  },
)

test('an agent that nobody has looked for yet is taken at its word', () => {
  const spec = { assigned: { adapter: 'codex' }, coolingUntil: {} }
  expect(routeAgent(wanted({ ...spec, fallbacks: [{ adapter: 'claude' }] }), []).type).toBe(
    'assigned',
  )
})

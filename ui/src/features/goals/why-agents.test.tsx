import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import type { Goal } from '../../../../contracts/schemas.ts'
import { AGENT_STAGES } from '../../../../contracts/stages.ts'
import { WhyAgents } from './why-agents.tsx'

const drawn = (spec: object) => {
  const stages = Object.fromEntries(AGENT_STAGES.map((stage) => [stage, { adapter: 'claude' }]))
  const profile = { stages: { ...stages, spec } } as unknown as Goal['profile']
  return renderToStaticMarkup(<WhyAgents profile={profile} />)
}

test('why Auto Model chose an agent is told on the goal, and nothing where it did not choose', () => {
  const reason = 'Codex: the stage is spec; claude is not installed.'
  expect(drawn({ adapter: 'codex', reason })).toContain(reason)
  expect(drawn({ adapter: 'codex' })).toBe('')
})

import { expect, test } from 'vitest'
import type { Profile } from '../../../../contracts/schemas.ts'
import { AGENT_STAGES } from '../../../../contracts/stages.ts'
import { missingAgents, ownProfile } from './goal-profile.ts'

const profile = (name: string, ...adapters: string[]) =>
  ({
    ...{ id: `id of ${name}`, name },
    stages: Object.fromEntries(
      AGENT_STAGES.map((stage, at) => [stage, { adapter: adapters[at % adapters.length] }]),
    ),
  }) as Profile
const codex = { adapter: 'codex', title: 'Codex', found: false }
const claude = { adapter: 'claude', title: 'Claude Code', found: true }

test("a project's own profile is the one it names, else the default one", () => {
  const profiles = [profile('Demo', 'demo'), profile('Default', 'codex')]
  expect(ownProfile(profiles, { profileId: null })?.name).toBe('Default')
  expect(ownProfile(profiles, { profileId: 'id of Demo' })?.name).toBe('Demo')
})

test('a profile of which no agent is installed is told of; one that has some, or chooses, is not', () => {
  expect(missingAgents(profile('Default', 'codex', 'acp:gone'), [codex, claude])).toBe(
    'The profile Default needs Codex and acp:gone, not installed here. Install what it needs, or choose another profile.',
  )
  expect(missingAgents(profile('Both', 'codex', 'claude'), [codex, claude])).toBe(undefined)
  expect(missingAgents(profile('Auto', 'auto'), [codex])).toBe(undefined)
})

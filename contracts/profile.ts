import type { Profile, StageAgent } from './schemas.ts'
import { AGENT_STAGES } from './stages.ts'

export const DEFAULT_PROFILE = 'Default'
export const AUTO_PROFILE = 'Auto'
export const DEMO_PROFILE = 'Demo'

/** Dispatch makes these itself: they keep their names and stay. */
export const isBuiltIn = (name: string): boolean =>
  [DEFAULT_PROFILE, AUTO_PROFILE, DEMO_PROFILE].includes(name)

/** The same agent in every stage. */
export function sameAgent(agent: StageAgent): Profile['stages'] {
  return Object.fromEntries(AGENT_STAGES.map((stage) => [stage, { ...agent }])) as Profile['stages']
}

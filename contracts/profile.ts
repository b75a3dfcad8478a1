import type { Profile, StageAgent } from './schemas.ts'
import { AGENT_STAGES } from './stages.ts'

/** The same agent in every stage. */
export function sameAgent(agent: StageAgent): Profile['stages'] {
  return Object.fromEntries(AGENT_STAGES.map((stage) => [stage, { ...agent }])) as Profile['stages']
}

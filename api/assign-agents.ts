import type { Knex } from 'knex'
import { AUTO } from '../contracts/agent.ts'
import type { Profile, ProfileSnapshot } from '../contracts/schemas.ts'
import { AGENT_STAGES } from '../contracts/stages.ts'
import { type Refusal, refuse } from '../db/refusal.ts'
import { readSettings } from '../db/settings.ts'
import { listAdapters } from '../db/views/agents.ts'
import { chooseAgent } from '../domain/auto-model.ts'

/**
 * Puts an agent and the reason for it where a profile says `auto`, by what the goal asks for and what was found on this machine;
 * other stages stay as they are. Refused when Auto Model is off or no agent is installed.
 */
export async function assignAgents(
  knex: Knex,
  goal: { stages: Profile['stages']; text: string },
): Promise<ProfileSnapshot['stages'] | Refusal> {
  const open = AGENT_STAGES.filter((stage) => goal.stages[stage].adapter === AUTO)
  if (open.length === 0) return goal.stages
  if (!(await readSettings(knex)).autoModel)
    return refuse('auto_model_off', 'The profile leaves agents to Auto Model, which is off.', {
      advice: 'Choose another profile, or switch Auto Model on in the settings.',
    })
  const adapters = await listAdapters(knex)
  const stages: ProfileSnapshot['stages'] = { ...goal.stages }
  for (const stage of open) {
    const choice = chooseAgent({ for: stage, text: goal.text }, adapters)
    if (!choice)
      return refuse('no_agent', 'Auto Model has no agent to choose from: none is installed.', {
        advice:
          'See `dispatch adapters` for the commands that install one, then file the goal again.',
      })
    stages[stage] = choice
  }
  return stages
}

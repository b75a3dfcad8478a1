import type { Knex } from 'knex'
import { AUTO } from '../contracts/agent.ts'
import type { AdapterInfo, Profile, ProfileSnapshot } from '../contracts/schemas.ts'
import { AGENT_STAGES } from '../contracts/stages.ts'
import { coolingAdapters } from '../db/cooldowns.ts'
import { type Refusal, refuse } from '../db/refusal.ts'
import { readSettings } from '../db/settings.ts'
import { listAdapters } from '../db/views/agents.ts'
import { chooseAgent } from '../domain/auto-model.ts'
import type { Allowance } from '../domain/budget.ts'
import { nobodyIsThere } from '../domain/nobody-is-there.ts'

/**
 * Puts an agent and the reason for it where a profile says `auto`: by what the goal asks for, what was found on this machine, which
 * providers ask for a pause, and what is left of the budgets that limit it. Other stages stay as they are. Refused when Auto Model is off, or
 * when nobody that the profile names is there.
 */
export async function assignAgents(
  knex: Knex,
  goal: {
    stages: Profile['stages']
    fallbacks: Profile['fallbacks']
    text: string
    budgets: () => Promise<readonly Allowance[]>
  },
): Promise<ProfileSnapshot['stages'] | Refusal> {
  const open = AGENT_STAGES.filter((stage) => goal.stages[stage].adapter === AUTO)
  if (open.length > 0 && !(await readSettings(knex)).autoModel)
    return refuse('auto_model_off', 'The profile leaves agents to Auto Model, which is off.', {
      advice: 'Choose another profile, or switch Auto Model on in the settings.',
    })
  const adapters = await listAdapters(knex)
  if (nobodyIsThere(goal, adapters)) return noAgent(goal, adapters)
  if (open.length === 0) return goal.stages
  const coolingUntil = await coolingAdapters(knex)
  const budgets = await goal.budgets()
  const stages: ProfileSnapshot['stages'] = { ...goal.stages }
  for (const stage of open) {
    const choice = chooseAgent({ for: stage, text: goal.text, coolingUntil, budgets }, adapters)
    if (!choice) return noAgent(goal, adapters)
    stages[stage] = choice
  }
  return stages
}

function noAgent(
  { stages, fallbacks }: Pick<Profile, 'stages' | 'fallbacks'>,
  adapters: readonly AdapterInfo[],
): Refusal {
  const named = [...Object.values(stages), ...fallbacks].map(({ adapter }) => adapter)
  const wanted = adapters.filter(
    ({ adapter, demo }) => !demo && (named.includes(AUTO) || named.includes(adapter)),
  )
  const ways = wanted.flatMap(({ title, advice }) =>
    advice === null ? [] : [`${title}: ${advice.replace(/^Install it: /, '')}`],
  )
  const all = ways.length > 0 ? ` ${ways.join('; ')}` : ''
  return refuse('no_agent', 'Nobody can work on it: no agent of its profile was found.', {
    advice: `Install one, let it be found (dispatch adapters rescan), then try again.${all}`,
  })
}

import { AUTO } from '../contracts/agent.ts'
import type { AdapterInfo, Goal } from '../contracts/schemas.ts'
import { AGENT_STAGES, STAGE_TITLES } from '../contracts/stages.ts'
import type { Deps } from './command.ts'

/** Which agents work on a goal, and what keeps them from it: one line each. Empty when it cannot be asked for now. */
export async function whoWorks(goalId: string, deps: Deps): Promise<string[]> {
  const asked = Promise.all([
    deps.call('getGoal', { params: { id: goalId } }),
    deps.call('listAdapters'),
  ])
  // The goal is filed: a word beside it must not make that look like a failure.
  const answer = await asked.catch(() => undefined)
  if (!answer) return []
  const [{ profile }, { items }] = answer
  const agents = adaptersOf(profile).map((name) => {
    const found = items.find(({ adapter }) => adapter === name)
    return lineFor(name, found, { profile: profile.name, instead: insteadOf(name, profile, items) })
  })
  return [...agents, ...insteadLine(profile), ...reasonsOf(profile)]
}

/** Why Auto Model chose each agent, where it did. */
const reasonsOf = ({ stages }: Goal['profile']): string[] =>
  AGENT_STAGES.flatMap((stage) => {
    const { reason } = stages[stage]
    return reason === undefined ? [] : [`${STAGE_TITLES[stage]}: ${reason}`]
  })

const adaptersOf = ({ stages }: Goal['profile']) => [
  ...new Set(Object.values(stages).map(({ adapter }) => adapter)),
]

/** Who else may come to work on it, and so to cost something. */
function insteadLine(profile: Goal['profile']): string[] {
  const agents = adaptersOf(profile)
  const [only, ...more] = agents
  const others = (profile.fallbacks ?? []).filter(
    ({ adapter }) => more.length > 0 || adapter !== only,
  )
  if (others.length === 0) return []
  const when = more.length > 0 ? 'when one of them is limited' : 'when it is limited'
  return [`Instead, ${when} or not there: ${others.map(nameOfAgent).join(', ')}.`]
}

/** `codex`, or `codex/gpt-5` with its model. */
export const nameOfAgent = ({ adapter, model }: { adapter: string; model?: string | undefined }) =>
  model ? `${adapter}/${model}` : adapter

/** Who takes an agent's place while it is not there, in words; undefined where nobody may. */
function insteadOf(
  name: string,
  { fallbacks = [] }: Goal['profile'],
  items: readonly AdapterInfo[],
): string | undefined {
  const ready = items.filter(({ found, login, demo }) => found && login !== 'needed' && !demo)
  for (const { adapter } of fallbacks) {
    const others = ready.filter((one) => one.adapter !== name)
    const other = others.find((one) => one.adapter === adapter)
    if (other) return nameWithVersion(other)
    if (adapter === AUTO && others.length > 0) return 'an agent that Auto Model chooses'
  }
  return undefined
}

/** What keeps an agent from work that it was given, in words; undefined where nothing is known to. */
export async function lackOf(name: string, deps: Deps): Promise<string | undefined> {
  // said beside what was done, which must not look like a failure
  const page = await deps.call('listAdapters').catch(() => undefined)
  const agent = page?.items.find(({ adapter }) => adapter === name)
  const lacks = agent && lacking(agent)
  return lacks && [`${agent.title} is ${lacks}.`, agent.advice].filter(Boolean).join(' ')
}

function lacking({ found, login }: AdapterInfo): string | undefined {
  if (!found) return 'not found'
  return login === 'needed' ? 'not logged in' : undefined
}

function lineFor(
  name: string,
  found: AdapterInfo | undefined,
  { profile, instead }: { profile: string; instead: string | undefined },
): string {
  const title = found?.title ?? name
  const lacks = found ? lacking(found) : 'not found'
  if (found && !lacks) return `${nameWithVersion(found)} works on it (profile ${profile}).`
  const advice = found?.advice ? ` ${found.advice}` : ''
  if (instead !== undefined)
    return `${title} is ${lacks}: ${instead} works in its place (profile ${profile}).${advice}`
  return `${title} is to work on it (profile ${profile}), but is ${lacks}.${advice}`
}

/** `Codex 0.98.0`; the title alone where that holds the version, as of what is built in. */
export const nameWithVersion = ({ title, version }: Pick<AdapterInfo, 'title' | 'version'>) =>
  version && !title.includes(version) ? `${title} ${version}` : title

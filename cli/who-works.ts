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
    return lineFor(name, found, profile.name)
  })
  return [...agents, ...reasonsOf(profile)]
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

function lineFor(name: string, found: AdapterInfo | undefined, profile: string): string {
  const title = found?.title ?? name
  const advice = found?.advice ? ` ${found.advice}` : ''
  if (!found?.found)
    return `${title} is to work on it (profile ${profile}), but is not found.${advice}`
  if (found.login === 'needed')
    return `${title} is to work on it (profile ${profile}), but is not logged in.${advice}`
  return `${nameWithVersion(found)} works on it (profile ${profile}).`
}

/** `Codex 0.98.0`; the title alone where that holds the version, as of what is built in. */
export const nameWithVersion = ({ title, version }: Pick<AdapterInfo, 'title' | 'version'>) =>
  version && !title.includes(version) ? `${title} ${version}` : title

import { LONGEST_WORDS } from '../goals/goals-search.ts'

const SHOWS = ['running', 'waiting', 'over'] as const
const TABS = ['activity', 'files', 'reasoning', 'cost'] as const
export type RunTab = (typeof TABS)[number]

/** What of the agents is shown, in the address. */
export interface AgentsSearch {
  show?: (typeof SHOWS)[number]
  adapter?: string
  /** Short id of a goal. */
  goal?: string
  /** Words of goal, task or what was said last. */
  q?: string
}

export interface AgentSearch {
  tab?: RunTab
}

const word = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)

/** What is not understood is left out. */
export function readAgentsSearch(search: Record<string, unknown>): AgentsSearch {
  const show = SHOWS.find((one) => one === search['show'])
  const [adapter, goal, q] = [word(search['adapter']), word(search['goal']), word(search['q'])]
  return {
    ...(show && { show }),
    ...(adapter && { adapter }),
    ...(goal && { goal }),
    ...(q && { q: q.slice(0, LONGEST_WORDS) }),
  }
}

export function readAgentSearch(search: Record<string, unknown>): AgentSearch {
  const tab = TABS.find((one) => one === search['tab'])
  return tab && tab !== 'activity' ? { tab } : {}
}

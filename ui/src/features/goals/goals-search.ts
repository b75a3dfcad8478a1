/** What the contract takes of them. */
export const LONGEST_WORDS = 200

const SHOWS = ['waiting', 'running', 'paused', 'done'] as const

/** What of the list is shown, in the address. */
export interface GoalsSearch {
  /** Short id of a project. */
  project?: string
  show?: (typeof SHOWS)[number]
  /** Words of the title. */
  q?: string
}

/** What is not understood is left out. */
export function readGoalsSearch(search: Record<string, unknown>): GoalsSearch {
  const { project, show, q } = search
  const known = SHOWS.find((one) => one === show)
  return {
    ...(typeof project === 'string' && project !== '' ? { project } : {}),
    ...(known ? { show: known } : {}),
    ...(typeof q === 'string' && q !== '' ? { q: q.slice(0, LONGEST_WORDS) } : {}),
  }
}

/** Which part of a goal is shown where not all have room. */
export interface GoalSearch {
  tab?: 'activity' | 'tasks' | 'about'
}

const TABS = ['activity', 'tasks', 'about'] as const

export function readGoalSearch({ tab }: Record<string, unknown>): GoalSearch {
  const known = TABS.find((one) => one === tab)
  return known ? { tab: known } : {}
}

import type { AgentRun, PoolState } from '../../../../contracts/schemas.ts'
import { STAGE_TITLES, type Stage } from '../../../../contracts/stages.ts'
import type { AgentsSearch } from './agents-search.ts'

export type Waiting = PoolState['waiting'][number]

export interface AgentGroups {
  running: AgentRun[]
  waiting: Waiting[]
  over: AgentRun[]
}

/**
 * What is looked for. A group that was not asked for is empty; runs that are over were looked through by the server, which knows
 * those of pages that were not read yet too.
 */
export function groupAgents(
  all: { live: readonly AgentRun[]; waiting: readonly Waiting[]; over: readonly AgentRun[] },
  search: AgentsSearch,
): AgentGroups {
  const { show, adapter, goal, q } = search
  const words = (q ?? '').toLowerCase().split(/\s+/).filter(Boolean)
  const isOf = (one: { adapter: string; goalShortId: string }) =>
    (adapter === undefined || one.adapter === adapter) &&
    (goal === undefined || one.goalShortId === goal)
  const says = (one: AgentRun | Waiting) => {
    const text = `${searchText(one)} ${stageTitle(one.stage)}`.toLowerCase()
    return words.every((word) => text.includes(word))
  }
  const shows = (group: AgentsSearch['show']) => show === undefined || show === group
  const pick = <T extends AgentRun | Waiting>(from: readonly T[]) =>
    from.filter((one) => isOf(one) && says(one))
  return {
    running: shows('running') ? pick(all.live) : [],
    waiting: shows('waiting') ? pick(all.waiting) : [],
    over: shows('over') ? [...all.over] : [],
  }
}

const searchText = (one: AgentRun | Waiting): string =>
  [
    one.goalShortId,
    one.goalTitle,
    one.taskShortId,
    one.taskTitle,
    one.adapter,
    ...('shortId' in one ? [one.shortId, one.model, one.lastLine] : [one.reason]),
  ].join(' ')

/** The pool names stages by their key. */
export const stageTitle = (stage: string): string => STAGE_TITLES[stage as Stage] ?? stage

import type { UsedTokens } from './figures.ts'
import type { Goal, StageState } from './schemas.ts'
import { STAGES, type Stage, type StageStatus } from './stages.ts'

/** One stage of a goal as a person reads it; the stages of its tasks are taken together. */
export interface StageRow {
  stage: Stage
  status: StageStatus
  attempt: number
  /** All agents that worked on it. */
  adapters: string[]
  /** Why it waits or failed, or else why it is those agents. */
  reason: string | null
  /** Of all attempts, like the tokens. */
  worked: WorkedTime
  used: UsedTokens
  startedAt: string | null
  endedAt: string | null
  /** Tasks through with this stage and tasks in all; absent for a stage of the goal as a whole. */
  tasks?: { done: number; all: number }
  /** The last attempt of each task, or the one of the goal. */
  states: StageState[]
}

/** Time in which agents were at work; `since`: those that are now, one for each. */
export interface WorkedTime {
  ms: number
  since: string[]
}

/** How long agents worked on attempts of stages, each in whole seconds: a sum is that of the figures that are seen. */
export const workedTime = (states: readonly StageState[]): WorkedTime => ({
  ms: sum(states.map(({ workedMs }) => Math.round(workedMs / 1000) * 1000)),
  since: present(states.map(({ workingSince }) => workingSince)),
})

export const hasWorked = ({ ms, since }: WorkedTime): boolean => ms > 0 || since.length > 0

/** The time in ms as of `now`, ms since 1970. */
export const workedUntil = ({ ms, since }: WorkedTime, now: number): number =>
  since.reduce((sum, begun) => sum + Math.max(0, now - Date.parse(begun)), ms)

/** What a person should see first when the tasks of a goal are in different states. */
const URGENCY: readonly StageStatus[] = [
  'failed',
  'review',
  'running',
  'paused',
  'waiting',
  'changes_requested',
  'cancelled',
  'passed',
  'skipped',
]
const DONE: readonly StageStatus[] = ['passed', 'skipped']

/** The nine stages in order; one that has not begun is `waiting`, or `skipped` when the goal is done without it. */
export function stageRows(goal: Pick<Goal, 'stages' | 'status'>): StageRow[] {
  return STAGES.map((stage) =>
    stageRow(stage, latestAttempts(goal.stages.filter((each) => each.stage === stage)), goal),
  )
}

function stageRow(
  stage: Stage,
  states: StageState[],
  goal: Pick<Goal, 'stages' | 'status'>,
): StageRow {
  const lead = [...states].sort((a, b) => URGENCY.indexOf(a.status) - URGENCY.indexOf(b.status))[0]
  const all = goal.stages.filter((each) => each.stage === stage)
  const ofTasks = states.filter(({ taskId }) => taskId !== null)
  const unfinished = states.some(({ endedAt }) => endedAt === null)
  return {
    stage,
    status: lead?.status ?? (goal.status === 'completed' ? 'skipped' : 'waiting'),
    attempt: lead?.attempt ?? 0,
    adapters: [...new Set(all.flatMap(({ adapters }) => adapters))],
    reason: lead?.reason ?? lead?.agentReason ?? null,
    worked: workedTime(all),
    used: {
      total: sum(all.map(({ usage }) => usage.total)),
      uncountedRuns: sum(all.map(({ usage }) => usage.uncountedRuns)),
    },
    startedAt: earliest(all.map(({ startedAt }) => startedAt)),
    endedAt: unfinished ? null : latest(states.map(({ endedAt }) => endedAt)),
    states: states.filter(({ attempt }) => attempt > 0),
    ...(ofTasks.length > 1
      ? {
          tasks: {
            done: ofTasks.filter(({ status }) => DONE.includes(status)).length,
            all: ofTasks.length,
          },
        }
      : {}),
  }
}

function latestAttempts(states: StageState[]): StageState[] {
  const byTask = new Map<string | null, StageState>()
  for (const state of states) {
    const known = byTask.get(state.taskId)
    if (!known || known.attempt <= state.attempt) byTask.set(state.taskId, state)
  }
  return [...byTask.values()]
}

const sum = (counts: number[]) => counts.reduce((all, count) => all + count, 0)
const present = (times: (string | null)[]) => times.filter((time) => time !== null).sort()
const earliest = (times: (string | null)[]) => present(times)[0] ?? null
const latest = (times: (string | null)[]) => present(times).at(-1) ?? null

/**
 * Names and shapes that cross between API, worker and workflows. Zod-free and Temporal-free:
 * workflows turn the names into signals and queries. Only ids and small flags travel; facts are in Postgres.
 */
import type { AgentStage } from './stages.ts'

export const GOAL_WORKFLOW = 'goalWorkflow'

export interface GoalInput {
  v: 1
  goalId: string
}
/** Which agent works in which stage: for people who look at workflows. */
export type StageAdapters = Record<AgentStage, string>

export interface TaskInput {
  v: 1
  goalId: string
  taskId: string
  title: string
  maxVerifyRounds: number
  adapters: StageAdapters
}

/** A person decided a review. The row is the truth; a forged signal changes nothing. */
export const REVIEW_DECIDED = 'reviewDecided'
export interface ReviewDecided {
  reviewId: string
}
export const SET_PAUSED = 'setPaused'
export interface SetPaused {
  paused: boolean
}
export const CANCEL_GOAL = 'cancelGoal'
export interface CancelGoal {
  reason: string
}
/** Try the failed stage again, from that stage. */
export const RETRY_STAGE = 'retryStage'
export interface RetryStage {
  /** Names the person's request: a second delivery of it changes nothing. */
  key: string
}
/** A person gave the goal another profile: which agent works in which stage from now on. */
export const SET_ADAPTERS = 'setAdapters'
export interface SetAdapters {
  adapters: StageAdapters
}

export type SignalName =
  | typeof REVIEW_DECIDED
  | typeof SET_PAUSED
  | typeof CANCEL_GOAL
  | typeof RETRY_STAGE
  | typeof SET_ADAPTERS

/** Search attributes of goal workflows, registered at boot. */
export const SEARCH = {
  status: 'GoalStatus',
  stage: 'GoalStage',
  project: 'ProjectId',
  adapter: 'Adapter',
  pendingReview: 'PendingReview',
} as const

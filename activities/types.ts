import type { StageAdapters } from '../contracts/messages.ts'
import type { AgentStage, Decision, ReviewKind, Stage } from '../contracts/stages.ts'

/** What activities take and answer: ids, verdicts and short summaries only. Fields may be added, never changed. */

export interface RunStageInput {
  goalId: string
  taskId: string | null
  stage: AgentStage
  attempt: number
  /** What the agent must know from the attempt before: a person's comment, findings, a conflict. Up to 2 KB. */
  feedback: string
  /** A person does not want to wait for the provider: the parked segment that is to be tried again at once. */
  tryNow?: number
}

export type StageResult =
  /** `frontend`: an implement stage's task or files call for the frontend agent. */
  | { outcome: 'passed'; frontend?: boolean }
  | { outcome: 'findings'; summary: string }
  | { outcome: 'failed'; reason: string }
  | { outcome: 'budget'; summary: string }
  /** The provider asked for a pause: go on at `untilMs` (epoch milliseconds). */
  | { outcome: 'parked'; reason: string; untilMs: number; segment?: number }

export interface OpenReviewInput {
  goalId: string
  taskId: string | null
  kind: ReviewKind
  attempt: number
  stage: Stage
  reason: string
}
export interface OpenedReview {
  reviewId: string
  /** Decided already: by the policy of a tier below `block`, or while the workflow was away. */
  decided: boolean
}

export interface NewTask {
  taskId: string
  title: string
  role: 'implement' | 'frontend'
  dependsOn: string[]
  /** The agent that a person chose for it: for people who look at workflows. */
  adapter?: string
}

/** A decision as the row tells it; `tasks`: all of the goal, where the decision made any. */
export type SettledReview =
  | { decided: false }
  | { decided: true; decision: Decision; comment: string | null; tasks: NewTask[] }

export type IntegrateResult =
  | { outcome: 'merged' }
  | { outcome: 'moved'; summary: string }
  | { outcome: 'conflict'; summary: string }

export type MergeResult =
  | { outcome: 'merged'; commit: string }
  /** A pause or cancellation was accepted before the merge began; its signal is on the way. */
  | { outcome: 'held' }
  | { outcome: 'moved'; summary: string }
  | { outcome: 'blocked'; reason: string }

export interface ReportInput {
  goalId: string
  taskId: string | null
  stage: Stage
  attempt: number
  status: 'active' | 'needs_attention'
  reason: string | null
  /** Not the attempt failed but the work around it: that is asked about whatever came after the attempt. */
  around?: true
}

/** That a person was asked this before and answered it: a workflow that begins again meets old failures. */
export type ReportAnswer = { answered: true } | undefined

export interface EndGoalInput {
  goalId: string
  reason: string
}

export interface GoalSettings {
  skipSpecReview: boolean
  maxVerifyRounds: number
  adapters: StageAdapters
}

/** Everything that workflows can ask for. The names are wire names: histories hold them, so they are never changed. */
export interface Activities {
  startGoal(input: { goalId: string }): Promise<GoalSettings>
  approveSpec(input: { goalId: string }): Promise<NewTask[]>
  runStage(input: RunStageInput): Promise<StageResult>
  openReview(input: OpenReviewInput): Promise<OpenedReview>
  settleReview(input: { reviewId: string }): Promise<SettledReview>
  integrateTask(input: {
    goalId: string
    taskId: string
    attempt: number
  }): Promise<IntegrateResult>
  mergeGoal(input: { goalId: string; attempt: number }): Promise<MergeResult>
  report(input: ReportInput): Promise<ReportAnswer>
  endGoal(input: EndGoalInput): Promise<void>
}

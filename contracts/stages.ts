/** The nine stages of a goal, in the order a person reads them. Zod-free: workflows import this file. */
export const STAGES = [
  'spec',
  'test_spec',
  'security_spec',
  'implement',
  'frontend',
  'verify',
  'review',
  'audit',
  'merge',
] as const
export type Stage = (typeof STAGES)[number]

/** Stages in which an agent works; `review` and `merge` are Dispatch's and the person's own. */
export const AGENT_STAGES = [
  'spec',
  'test_spec',
  'security_spec',
  'implement',
  'frontend',
  'verify',
  'audit',
] as const
export type AgentStage = (typeof AGENT_STAGES)[number]

/** Stages of one task; the others belong to the goal as a whole. */
export const TASK_STAGES = ['implement', 'frontend', 'verify', 'review'] as const
export type TaskStage = (typeof TASK_STAGES)[number]

/** Agents may change files only in these stages; in every other one their changes are thrown away. */
export const WRITING_STAGES: readonly Stage[] = ['implement', 'frontend']

export const STAGE_TITLES: Readonly<Record<Stage, string>> = {
  spec: 'Spec',
  test_spec: 'Test Spec',
  security_spec: 'Security Spec',
  implement: 'Implement',
  frontend: 'Frontend',
  verify: 'Verify',
  review: 'Review',
  audit: 'Audit',
  merge: 'Merge',
}

export const STAGE_STATUSES = [
  'waiting', // not started, or in line for the pool
  'running',
  'paused',
  'review', // a person's decision is due
  'changes_requested', // a person sent it back: the next attempt has what should change
  'passed',
  'failed',
  'skipped',
  'cancelled',
] as const
export type StageStatus = (typeof STAGE_STATUSES)[number]

/** None is `failed`: a goal that cannot go on by itself needs attention, until a person lets it go on or ends it. */
export const GOAL_STATUSES = [
  'active',
  'paused',
  'completed',
  'cancelled',
  'needs_attention',
] as const
export type GoalStatus = (typeof GOAL_STATUSES)[number]
/** Of goals that nothing moves any more; all others are open. */
export const OVER_STATUSES: readonly GoalStatus[] = ['completed', 'cancelled']
export const OPEN_STATUSES = GOAL_STATUSES.filter((status) => !OVER_STATUSES.includes(status))

export const TASK_STATUSES = [
  'pending', // waits for the tasks it depends on
  'active',
  'review',
  'approved',
  'integrated', // its work is on the goal's branch
  'needs_attention',
  'cancelled',
] as const
export type TaskStatus = (typeof TASK_STATUSES)[number]

export const REVIEW_KINDS = ['spec', 'task', 'merge', 'budget'] as const
export type ReviewKind = (typeof REVIEW_KINDS)[number]
export const REVIEW_STATUSES = [
  'pending',
  'approved',
  'rejected',
  'changes_requested',
  'superseded',
] as const
export type ReviewStatus = (typeof REVIEW_STATUSES)[number]
export const DECISIONS = ['approve', 'reject', 'request_changes'] as const
export type Decision = (typeof DECISIONS)[number]
/** What may be decided in a review: where more tokens are asked for, there is no work to change. */
export const decisionsOf = (kind: ReviewKind): readonly Decision[] =>
  kind === 'budget' ? ['approve', 'reject'] : DECISIONS
export const TIERS = ['auto', 'notify', 'block'] as const
export type Tier = (typeof TIERS)[number]
export const RISKS = ['low', 'medium', 'high'] as const
export type Risk = (typeof RISKS)[number]

/** The note of a changed file whose difference is cut off: nobody can have seen all of it. */
export const TOO_LARGE = 'too large to show'

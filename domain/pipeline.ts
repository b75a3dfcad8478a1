import type { Decision, ReviewKind, Stage } from '../contracts/stages.ts'

/**
 * What happens next in a goal. Workflows ask `nextMove`; they hold no rule of their own.
 * The pipeline is data: which stages need which, and where each answer leads.
 */

/** Stages of the goal as a whole and what each needs. `review` stands for "every task is approved and integrated". */
export type GoalStage = 'spec' | 'test_spec' | 'security_spec' | 'review' | 'audit' | 'merge'
const NEEDS: Readonly<Record<GoalStage, readonly GoalStage[]>> = {
  spec: [],
  test_spec: ['spec'],
  security_spec: ['spec'],
  review: ['test_spec', 'security_spec'],
  audit: ['review'],
  merge: ['audit'],
}

/** Goal stages that may start now, in pipeline order; several of them run side by side. */
export function readyStages(done: readonly GoalStage[]): GoalStage[] {
  return (Object.keys(NEEDS) as GoalStage[]).filter(
    (stage) => !done.includes(stage) && NEEDS[stage].every((need) => done.includes(need)),
  )
}

/** What a stage, a person or the merge answered. */
export type Answer =
  | { type: 'passed' }
  /** The agent's work cannot be taken as it is; verify found failing items; audit found something grave. */
  | { type: 'findings'; summary: string }
  | { type: 'failed'; reason: string }
  /** The token budget of the task or the goal is used up; its work is kept. */
  | { type: 'budget'; summary: string }
  | { type: 'decided'; decision: Decision; comment: string | null }
  /** Somebody else's work changed what was approved: it must be looked at again. */
  | { type: 'moved'; summary: string }
  | { type: 'conflict'; summary: string }

export type Move =
  | { type: 'go'; to: Stage }
  /** The next attempt of a stage, with what its agent must know. */
  | { type: 'again'; stage: Stage; feedback: string }
  /** The same attempt goes on where its budget ended, with what it was told. */
  | { type: 'resume' }
  | { type: 'ask'; kind: ReviewKind; reason: string }
  /** `mendAt`: the stage whose agent a retry tells of the reason. Without it, the same stage is tried again as it was. */
  | { type: 'attention'; stage: Stage; reason: string; mendAt?: Stage }
  | { type: 'cancel'; reason: string }
  | { type: 'finish' }

/** What the rule needs to know besides the answer. */
export interface Circumstances {
  stage: Stage
  /** Failed verify rounds so far, this one included. */
  verifyRounds: number
  maxVerifyRounds: number
  needsFrontend: boolean
  /** The review that a decision answers. */
  kind?: ReviewKind
  /** True when the spec goes on without a person. */
  skipSpecReview: boolean
}

type Rule = (answer: never, at: Circumstances) => Move
type Rules = {
  readonly [A in Answer['type']]?: (answer: Extract<Answer, { type: A }>, at: Circumstances) => Move
}

const go = (to: Stage) => (): Move => ({ type: 'go', to })
const attention = (
  answer: { reason: string } | { summary: string },
  at: Circumstances,
): Extract<Move, { type: 'attention' }> => ({
  type: 'attention',
  stage: at.stage,
  reason: 'reason' in answer ? answer.reason : answer.summary,
})
/** A retry alone would find the same again: the agent that can mend it is told of it. */
const attentionToMend =
  (mendAt: Stage) =>
  (answer: { summary: string }, at: Circumstances): Move => ({ ...attention(answer, at), mendAt })
const askBudget = (answer: { summary: string }): Move => ({
  type: 'ask',
  kind: 'budget',
  reason: answer.summary,
})
const backToImplement = (answer: { summary: string }): Move => ({
  type: 'again',
  stage: 'implement',
  feedback: answer.summary,
})

/** A person's decision: approve goes on, a change starts the next attempt of `stage`, reject cancels. */
const decided =
  (approved: Stage, changed: Stage) =>
  (answer: Extract<Answer, { type: 'decided' }>): Move => {
    const comment = answer.comment ?? ''
    switch (answer.decision) {
      case 'approve':
        return { type: 'go', to: approved }
      case 'request_changes':
        return { type: 'again', stage: changed, feedback: comment }
      case 'reject':
        return { type: 'cancel', reason: comment || 'rejected in review' }
      default:
        return answer.decision satisfies never
    }
  }

/** More tokens were granted, or not: the stage goes on where it stopped, or the goal ends. */
const decidedBudget = (answer: Extract<Answer, { type: 'decided' }>): Move =>
  answer.decision === 'reject'
    ? { type: 'cancel', reason: answer.comment ?? 'no more tokens were granted' }
    : { type: 'resume' }

const RULES: Readonly<Record<Stage, Rules>> = {
  spec: {
    passed: (_answer, at) =>
      at.skipSpecReview
        ? { type: 'go', to: 'test_spec' }
        : { type: 'ask', kind: 'spec', reason: 'a new spec is ready' },
    failed: attention,
    budget: askBudget,
    decided: decided('test_spec', 'spec'),
  },
  test_spec: { passed: go('implement'), failed: attention, budget: askBudget },
  security_spec: { passed: go('implement'), failed: attention, budget: askBudget },
  implement: {
    passed: (_answer, at) => ({ type: 'go', to: at.needsFrontend ? 'frontend' : 'verify' }),
    findings: attentionToMend('implement'),
    failed: attention,
    budget: askBudget,
  },
  frontend: {
    passed: go('verify'),
    findings: attentionToMend('frontend'),
    failed: attention,
    budget: askBudget,
  },
  verify: {
    passed: go('review'),
    findings: (answer, at) =>
      at.verifyRounds <= at.maxVerifyRounds
        ? backToImplement(answer)
        : attentionToMend('implement')(answer, at),
    failed: attention,
    budget: askBudget,
  },
  review: {
    decided: decided('audit', 'implement'),
    moved: (answer) => ({ type: 'again', stage: 'verify', feedback: answer.summary }),
    conflict: backToImplement,
    failed: attention,
  },
  audit: {
    passed: go('merge'),
    findings: (answer) => ({ type: 'ask', kind: 'merge', reason: answer.summary }),
    failed: attention,
    budget: askBudget,
  },
  merge: {
    passed: () => ({ type: 'finish' }),
    moved: (answer) => ({ type: 'ask', kind: 'merge', reason: answer.summary }),
    failed: attention,
    // a change to the whole is a task of its own
    decided: decided('merge', 'implement'),
  },
}

/** Where an answer leads. An answer that a stage cannot give is a bug and throws. */
export function nextMove(answer: Answer, at: Circumstances): Move {
  if (answer.type === 'decided' && at.kind === 'budget') return decidedBudget(answer)
  if (answer.type === 'decided' && at.kind === 'merge')
    return (RULES.merge.decided as Rule)(answer as never, at)
  const rule = RULES[at.stage][answer.type] as Rule | undefined
  if (!rule) throw new Error(`stage ${at.stage} cannot answer "${answer.type}"`)
  return rule(answer as never, at)
}

/** Where a person's retry leads, and what is told there: the failed attempt itself had been told `feedback`. */
export function afterAttention(
  { stage, reason, mendAt }: Extract<Move, { type: 'attention' }>,
  feedback: string,
): Extract<Move, { type: 'again' }> {
  return mendAt === undefined
    ? { type: 'again', stage, feedback }
    : { type: 'again', stage: mendAt, feedback: reason }
}

/**
 * When a workflow that waits for a decision looks at the row again in case its signal was lost, in seconds. Slower and
 * slower, so that a year's wait costs about 400 looks: ten minutes, an hour, six, then daily; up to a fifth sooner, as
 * `chance` (0 to 1) says, so that a thousand goals filed together do not all look at once.
 */
export function secondsToNextLook(looks: number, chance: number): number {
  const seconds = [600, 3600, 21_600][looks] ?? 86_400
  return Math.round(seconds * (1 - chance / 5))
}

/** The same for a merge that Postgres holds: soon at first, in case the signal that tells why came before the wait for it. */
export const secondsToNextTry = (looks: number, chance: number): number =>
  looks === 0 ? 10 : secondsToNextLook(looks - 1, chance)

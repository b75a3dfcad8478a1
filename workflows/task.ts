import type { StageResult } from '../activities/types.ts'
import type { TaskInput } from '../contracts/messages.ts'
import type { AgentStage, Stage } from '../contracts/stages.ts'
import { type Answer, afterAttention, nextMove } from '../domain/pipeline.ts'
import { brief, core } from './activities.ts'
import { createControls } from './controls.ts'
import { createStageTable, markSearch, markStatus } from './stage-table.ts'

export type TaskOutcome = { outcome: 'merged' } | { outcome: 'rejected'; reason: string }

/** One task in its own worktree and branch: implement, frontend where it applies, verify, review, onto the goal's branch. */
export async function taskWorkflow(input: TaskInput): Promise<TaskOutcome> {
  const controls = createControls()
  const place = { goalId: input.goalId, taskId: input.taskId }
  const table = createStageTable()
  const attempts: Partial<Record<Stage, number>> = {}
  let verifyRounds = 0
  let budgets = 0
  let needsFrontend = false
  let stage: Stage = 'implement'
  let feedback = ''

  for (;;) {
    const attempt = (attempts[stage] ?? 0) + 1
    attempts[stage] = attempt
    table.set(stage, `attempt ${attempt}`)
    markSearch({ ...found(stage), pendingReview: false })
    let answer =
      stage === 'review' ? await review(attempt) : await agent(stage as AgentStage, attempt)
    if (stage === 'verify' && answer.type === 'findings') verifyRounds += 1
    const at = {
      stage,
      verifyRounds,
      maxVerifyRounds: input.maxVerifyRounds,
      needsFrontend,
      skipSpecReview: false,
    }
    let move = nextMove(answer, at)
    while (move.type === 'ask' || move.type === 'attention') {
      if (move.type === 'ask') {
        table.set(stage, `waits for a ${move.kind} review`)
        answer = await ask(move.kind, move.reason, attempt)
        move = nextMove(answer, { ...at, kind: move.kind })
      } else {
        table.set(stage, `needs attention: ${move.reason}`)
        await controls.attention({ ...place, stage: move.stage, attempt }, move.reason)
        verifyRounds = 0
        move = afterAttention(move, feedback)
      }
    }
    switch (move.type) {
      case 'go':
        if (move.to === 'audit') {
          markStatus('completed')
          return { outcome: 'merged' }
        }
        stage = move.to
        feedback = ''
        // what is changed after a review, or for the sake of others' work, has its own rounds
        if (stage === 'review') verifyRounds = 0
        break
      case 'again':
        stage = move.stage
        feedback = move.feedback
        break
      case 'resume':
        attempts[stage] = attempt - 1
        break
      case 'cancel':
        markStatus('cancelled')
        return { outcome: 'rejected', reason: move.reason }
      default:
        throw new Error(`task cannot ${move.type}`)
    }
  }

  function found(at: Stage) {
    return { status: controls.status(), stage: at, adapter: adapterOf(at) }
  }

  function adapterOf(at: Stage): string {
    const adapters = controls.adapters() ?? input.adapters
    return at in adapters ? adapters[at as AgentStage] : 'dispatch'
  }

  async function agent(at: AgentStage, attempt: number): Promise<Answer> {
    const key = { goalId: input.goalId, taskId: input.taskId, stage: at, attempt }
    const result = await controls.runStage({ ...key, feedback }, () => adapterOf(at))
    if (result.outcome === 'passed' && at === 'implement') needsFrontend = result.frontend ?? false
    return toAnswer(result)
  }

  /** Opens the review, waits for the decision, and brings approved work onto the goal's branch. */
  async function review(attempt: number): Promise<Answer> {
    const answer = await ask('task', '', attempt)
    if (answer.type !== 'decided' || answer.decision !== 'approve') return answer
    const result = await controls.insist({ ...place, stage: 'review', attempt }, () =>
      core.integrateTask({ goalId: input.goalId, taskId: input.taskId, attempt }),
    )
    return result.outcome === 'merged' ? answer : { type: result.outcome, summary: result.summary }
  }

  async function ask(
    kind: 'task' | 'budget' | 'spec' | 'merge',
    reason: string,
    attempt: number,
  ): Promise<Answer> {
    const number = kind === 'budget' ? ++budgets : attempt
    const review = await controls.insist({ ...place, stage, attempt }, () =>
      brief().openReview({ ...place, kind, attempt: number, stage, reason }),
    )
    if (!review.decided) markSearch({ ...found(stage), pendingReview: true })
    const settled = await controls.decision(review)
    return { type: 'decided', decision: settled.decision, comment: settled.comment }
  }
}

/** An agent stage's result as the pipeline's rules take it. */
export function toAnswer(result: Exclude<StageResult, { outcome: 'parked' }>): Answer {
  switch (result.outcome) {
    case 'passed':
      return { type: 'passed' }
    case 'findings':
      return { type: 'findings', summary: result.summary }
    case 'failed':
      return { type: 'failed', reason: result.reason }
    case 'budget':
      return { type: 'budget', summary: result.summary }
    default:
      return result satisfies never
  }
}

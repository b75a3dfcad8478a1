import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity'
import { goalStream } from '../contracts/ids.ts'
import type { CheckResult } from '../contracts/schemas.ts'
import type { AgentStage } from '../contracts/stages.ts'
import { type GoalFacts, loadFacts } from '../db/facts.ts'
import { acquireLease, releaseLease, renewLease } from '../db/pool.ts'
import { listSegments, type RunRow } from '../db/runs.ts'
import {
  changeStage,
  forgetSkipped,
  isAnswered,
  isTriedAgain,
  openStage,
  type StageKey,
  type StageRow,
  skipStage,
} from '../db/stages.ts'
import { BudgetHold } from '../domain/budget.ts'
import { DiskLow, isDiskFull, reasonOfLowDisk } from '../domain/disk.ts'
import { isPassing } from '../domain/passing.ts'
import { GitProblem } from '../git/problem.ts'
import {
  abandonAttempt,
  abandonEarlierAttempts,
  interruptAttempt,
  leaseOf,
} from './abandon-attempt.ts'
import {
  type AgentOutcome,
  GoalHeld,
  isAskedToStop,
  needsRun,
  runAgent,
  stillCounting,
} from './agent-run.ts'
import { assignedAgent, whyAssigned } from './around-limit.ts'
import { checkWork } from './checks.ts'
import { conclude } from './conclude.ts'
import type { ActivityDeps } from './deps.ts'
import { watchGitSettings } from './git-settings.ts'
import { setGoal } from './lifecycle.ts'
import { budgetHold } from './reserve.ts'
import { askSecondOpinion, needsOpinion } from './second-opinion.ts'
import type { RunStageInput, StageResult } from './types.ts'
import { verifiedChecks } from './verified-checks.ts'
import { openWorkspace, releaseScratch, type Workspace } from './workspace.ts'

const NO_FRONTEND = 'neither the task nor its files call for it'
/** What gets better within some seconds is not worth telling. */
const UNTOLD_TRIES = 5
/** How often a place in the pool is renewed while its stage is at work, checks and git included. */
const RENEW_MS = 30_000

/** Seconds until the line is looked at again: soon for the first in line, later for those behind. */
const lineSeconds = (position: number) => Math.min(10, Math.max(1, position))
/** A budget may be waited for until the next day; of a pause this activity is about to hear. */
const HOLD_SECONDS = 3

/** A stage in which an agent works, from its place in the pool to its recorded outcome. */
export function createStageActivities(deps: ActivityDeps) {
  const { database } = deps

  /**
   * Advances one stage attempt to its answer. Everything it does is keyed by the attempt, so that it may be killed
   * anywhere and called again: a live run is re-attached, a finished one is read, an interrupted one is resumed.
   * Throws PoolBusy (retried by Temporal without history) while it waits in line, also for space on the disk.
   */
  async function runStage(input: RunStageInput): Promise<StageResult> {
    const key: StageKey = {
      goalId: input.goalId,
      taskId: input.taskId,
      stage: input.stage,
      attempt: input.attempt,
    }
    const facts = await loadFacts(database.knex, input.goalId, input.taskId)
    const assigned = assignedAgent({ key, facts })
    const row = await database.change(async (tx) => {
      await forgetSkipped(tx, key)
      return openStage(tx, key, input.feedback || null)
    })
    if (row.result) return row.result as StageResult
    // met by a workflow that begins again: it broke without an answer, and a person had it tried again
    if (await isTriedAgain(database.knex, key))
      return { outcome: 'failed', reason: row.reason ?? 'it was tried again since' }
    const leaseId = leaseOf(key)
    await abandonEarlierAttempts(deps, key)
    const segments = await listSegments(database.knex, key)
    // whoever has the session stays with it, and why is told already
    const own = segments.filter(({ opinion }) => opinion === 1)
    const counting = stillCounting(own, { key, facts })
    const last = counting.at(-1)
    const { adapter } = last ?? assigned
    const wanted = { id: leaseId, goalId: key.goalId, stage: key.stage, adapter }
    const needsTokens = needsRun(key, counting) || needsOpinion({ key, facts }, row, segments)
    const atWork = await isAtWork(segments.at(-1))
    await standInLine(key, {
      ...wanted,
      atWork,
      ...(atWork ? {} : await holdOf(key, needsTokens)),
    })
    const stopRenewing = keepLease(leaseId)
    try {
      const why = last ? {} : { agentReason: whyAssigned({ key, facts }, assigned) }
      await begin(key, facts, { adapter, ...why })
      const result = await work(key, facts, { row, tryNow: input.tryNow })
      await end(key, facts, { result, leaseId })
      return result
    } catch (error) {
      // a worker that stops, or that Temporal has given up, leaves the run and its lease to the next one
      const signal = Context.current().cancellationSignal
      if (signal.aborted && !isAskedToStop(signal)) throw error
      if (error instanceof CancelledFailure || signal.aborted) await interrupted(key)
      if (error instanceof GoalHeld) {
        await interrupted(key)
        throw busy(error.message, HOLD_SECONDS)
      }
      if (error instanceof BudgetHold)
        await standInLine(key, { ...wanted, hold: error.message, seconds: HOLD_SECONDS })
      if (isDiskFull(error)) await standInLine(key, { ...wanted, hold: diskHold(error as Error) })
      if (isPassing(error)) await tellOfDelay(key, error as Error)
      if (isFinal(error)) await abandonAttempt(deps, key, `the stage failed: ${error.message}`)
      throw error
    } finally {
      stopRenewing()
    }
  }

  /** Temporal tries it again for as long as it takes, and only its own page would say why. Where Postgres is what is away, nobody can be told. */
  async function tellOfDelay(key: StageKey, { message }: Error): Promise<void> {
    if (Context.current().info.attempt < UNTOLD_TRIES) return
    const reason = `${message.slice(0, 500)}: it is tried again by itself`
    await database
      .change((tx, emit) => changeStage(tx, emit, { key, change: { status: 'waiting', reason } }))
      .catch((error) => deps.log('a delay was not told', { ...key, error: String(error) }))
  }

  /** Keeps the place from its grant to the end of the stage; a worker that dies stops renewing it. */
  function keepLease(leaseId: string): () => void {
    const renew = () =>
      renewLease(database, leaseId).catch((error) =>
        deps.log('lease not renewed', { leaseId, error: String(error) }),
      )
    const timer = setInterval(() => void renew(), RENEW_MS)
    return () => clearInterval(timer)
  }

  /**
   * A run that is at work goes on whatever the pool and the disk are like; another one must wait for both, also one
   * that ended or was lost while no worker was there, since another agent may have to go on in its session.
   */
  async function isAtWork(last: RunRow | undefined): Promise<boolean> {
    return last?.status === 'running' && (await deps.runner.state(last.id)) === 'running'
  }

  /** Why the stage has to wait whatever the pool says: no space, or no tokens for the run that it needs. */
  async function holdOf(key: StageKey, needsTokens: boolean): Promise<Hold> {
    const low = reasonOfLowDisk(deps.disk())
    if (low !== undefined || !needsTokens) return { hold: low }
    return { hold: await budgetHold(deps, key), seconds: HOLD_SECONDS }
  }

  async function standInLine(
    key: StageKey,
    { seconds, ...request }: Parameters<typeof acquireLease>[1] & Hold,
  ): Promise<void> {
    const answer = await acquireLease(database, request)
    if (answer.granted) return
    const place = answer.position > 0 ? `in line, place ${answer.position}` : 'waiting'
    const reason = `${place}: ${answer.reason}`
    await database.change((tx, emit) =>
      changeStage(tx, emit, { key, change: { status: 'waiting', reason } }),
    )
    throw busy(reason, (request.hold && seconds) || lineSeconds(answer.position))
  }

  async function begin(
    key: StageKey,
    facts: GoalFacts,
    agent: { adapter: string; agentReason?: string | null },
  ): Promise<void> {
    const { adapter } = agent
    await database.change(async (tx, emit) => {
      await changeStage(tx, emit, { key, change: { status: 'running', reason: null, ...agent } })
      if (key.taskId) {
        await tx('tasks')
          .where({ id: key.taskId })
          .update({ stage: key.stage, adapter, updated_at: tx.fn.now() })
        if (facts.task?.status !== 'active') {
          await tx('tasks').where({ id: key.taskId }).update({ status: 'active', reason: null })
          const data = {
            goalId: key.goalId,
            taskId: key.taskId,
            status: 'active',
            reason: null,
          } as const
          emit({ type: 'task.status', stream: goalStream(key.goalId), actor: 'dispatch', data })
        }
      }
      await setGoal(tx, emit, {
        goalId: key.goalId,
        status: 'active',
        stage: key.stage,
        reason: null,
      })
    })
  }

  async function work(
    key: StageKey,
    facts: GoalFacts,
    { row, tryNow }: { row: StageRow; tryNow: number | undefined },
  ): Promise<StageResult> {
    const stage = key.stage as AgentStage
    const [workspace] = await Promise.all([
      openWorkspace(deps, facts, key),
      watchGitSettings(deps, facts.project, row),
    ])
    const judged = stage === 'verify' || stage === 'audit'
    const checks = judged ? await checksOf(key, facts, { workspace, row }) : undefined
    const feedback = row.feedback ?? ''
    const asked = { key, facts, workspace, checks, feedback, tryNow }
    const outcome = await runAgent(deps, asked)
    // the next attempt looks at a worktree of its own; parked or out of budget, this one goes on
    if (outcome.type === 'failed') await releaseScratch(deps, facts, key)
    if (outcome.type !== 'answered') return notAnswered(outcome)
    const { output, adapter } = outcome
    const later = stage === 'verify' && (await askSecondOpinion(deps, asked, outcome))
    return later ? notAnswered(later) : conclude(deps, { ...asked, output, adapter })
  }

  /** Run once in an attempt, which judges one commit: a worker that comes later goes on with what is stored. */
  async function checksOf(
    key: StageKey,
    facts: GoalFacts,
    at: { workspace: Workspace; row: StageRow },
  ): Promise<CheckResult[]> {
    if (at.row.checks) return at.row.checks
    const known = key.stage === 'audit' && (await verifiedChecks(deps, facts, at.workspace))
    const checks = known || (await checkWork(deps, facts, at.workspace))
    await database.change((tx, emit) =>
      changeStage(tx, emit, { key, change: { status: 'running', checks } }),
    )
    return checks
  }

  async function end(
    key: StageKey,
    facts: GoalFacts,
    { result, leaseId }: { result: StageResult; leaseId: string },
  ): Promise<void> {
    await database.change(async (tx, emit) => {
      if (await isAnswered(tx, key)) return
      await changeStage(tx, emit, { key, change: { ...stateAfter(key, facts, result) } })
      const noFrontend =
        key.stage === 'implement' && result.outcome === 'passed' && !result.frontend
      if (noFrontend) await skipStage(tx, emit, { ...key, stage: 'frontend', reason: NO_FRONTEND })
      await releaseLease(tx, leaseId, emit)
      if (result.outcome !== 'parked') return
      const { reason } = result
      await setGoal(tx, emit, { goalId: key.goalId, status: 'active', stage: key.stage, reason })
    })
  }

  const interrupted = (key: StageKey) =>
    database.change((tx, emit) => interruptAttempt(tx, emit, key))

  return { runStage }
}

/** The stage waits; Temporal tries it again without history. */
const busy = (reason: string, seconds: number) =>
  ApplicationFailure.create({
    type: 'PoolBusy',
    category: 'BENIGN',
    message: reason,
    nextRetryDelay: `${seconds}s`,
  })

/** `seconds`: until it is looked at again, where that may take long. */
interface Hold {
  hold?: string | undefined
  seconds?: number
}

/** Failures that nobody tries again by themselves: a person is asked, and a retry is another attempt. */
const isFinal = (error: unknown): error is Error =>
  error instanceof GitProblem ||
  (error instanceof ApplicationFailure && error.nonRetryable === true)

const diskHold = (error: Error) =>
  error instanceof DiskLow
    ? error.message
    : `disk full: ${error.message.slice(0, 500)}; free some space`

function notAnswered(outcome: Exclude<AgentOutcome, { type: 'answered' }>): StageResult {
  switch (outcome.type) {
    case 'failed':
      return { outcome: 'failed', reason: outcome.reason }
    case 'parked':
      return {
        ...{ outcome: 'parked', reason: outcome.reason },
        ...{ untilMs: outcome.untilMs, segment: outcome.segment },
      }
    case 'budget':
      return { outcome: 'budget', summary: outcome.summary }
    default:
      return outcome satisfies never
  }
}

/** How the stage reads after its result. Parked and out of budget are not the end of the attempt: no result is stored. */
function stateAfter(key: StageKey, facts: GoalFacts, result: StageResult) {
  switch (result.outcome) {
    case 'passed': {
      const waitsForReview = key.stage === 'spec' && !facts.goal.profile.skipSpecReview
      return { status: waitsForReview ? 'review' : 'passed', reason: null, result } as const
    }
    case 'findings':
      return { status: 'failed', reason: result.summary, result } as const
    case 'failed':
      return { status: 'failed', reason: result.reason, result } as const
    case 'budget':
      return { status: 'review', reason: result.summary } as const
    case 'parked':
      return {
        status: 'waiting',
        reason: result.reason,
        until: new Date(result.untilMs).toISOString(),
      } as const
    default:
      return result satisfies never
  }
}

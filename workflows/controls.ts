import {
  ActivityFailure,
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  defineSignal,
  isCancellation,
  rootCause,
  setHandler,
} from '@temporalio/workflow'
import type {
  OpenedReview,
  ReportInput,
  RunStageInput,
  SettledReview,
  StageResult,
} from '../activities/types.ts'
import {
  CANCEL_GOAL,
  type CancelGoal,
  RETRY_STAGE,
  REVIEW_DECIDED,
  type ReviewDecided,
  SET_PAUSED,
  type SetPaused,
} from '../contracts/messages.ts'
import { secondsToNextLook } from '../domain/pipeline.ts'
import { agents, core } from './activities.ts'

export const reviewDecided = defineSignal<[ReviewDecided]>(REVIEW_DECIDED)
export const setPaused = defineSignal<[SetPaused]>(SET_PAUSED)
export const cancelGoal = defineSignal<[CancelGoal]>(CANCEL_GOAL)
export const retryStage = defineSignal(RETRY_STAGE)

/** What a person can do to a running workflow, and how its work waits for it. */
export interface Controls {
  /** Runs an agent stage to its answer: pauses interrupt it and resume the same session, provider pauses are slept through. */
  runStage(
    input: RunStageInput,
    adapter: string,
  ): Promise<Exclude<StageResult, { outcome: 'parked' }>>
  /** Waits for a person's decision; the row is read after each signal, and on a slow timer in case one was lost. */
  decision(review: OpenedReview): Promise<Extract<SettledReview, { decided: true }>>
  /** Says that a person is needed and why, and waits until one asks for another try. */
  attention(at: Place, reason: string): Promise<void>
  /** Does `work` until it succeeds: a failure asks for a person, whose retry does it again. Cancellation passes through. */
  insist<T>(at: Place, work: () => Promise<T>): Promise<T>
  isPaused(): boolean
  /** Waits while paused. */
  unpaused(): Promise<void>
  onPause(listener: (paused: boolean) => Promise<void>): void
  onRetry(listener: () => Promise<void>): void
  /** Set once a person cancelled the goal. */
  cancelled(): string | undefined
}

export type Place = Pick<ReportInput, 'goalId' | 'taskId' | 'stage' | 'attempt'>

/** Registers the signal handlers: call it before the first await of a workflow. */
export function createControls(onCancel?: (reason: string) => void): Controls {
  let paused = false
  let retries = 0
  let cancelReason: string | undefined
  const told = new Set<string>()
  const running = new Set<CancellationScope>()
  const pauseListeners: ((paused: boolean) => Promise<void>)[] = []
  const retryListeners: (() => Promise<void>)[] = []

  setHandler(setPaused, async (message) => {
    if (paused === message.paused) return
    paused = message.paused
    if (paused) for (const scope of running) scope.cancel()
    for (const listener of pauseListeners) await listener(paused)
  })
  setHandler(reviewDecided, ({ reviewId }) => void told.add(reviewId))
  setHandler(retryStage, async () => {
    retries += 1
    for (const listener of retryListeners) await listener()
  })
  setHandler(cancelGoal, ({ reason }) => {
    if (cancelReason !== undefined) return
    cancelReason = reason
    onCancel?.(reason)
  })

  const unpaused = async () => {
    if (paused) await condition(() => !paused)
  }

  async function runStage(
    input: RunStageInput,
    adapter: string,
  ): Promise<Exclude<StageResult, { outcome: 'parked' }>> {
    for (;;) {
      await unpaused()
      const result = await interruptible(() => attempt(input, adapter))
      if (result === 'interrupted') continue
      if (result.outcome !== 'parked') return result
      const seen = retries
      await condition(() => retries > seen, Math.max(1, result.untilMs - Date.now()))
    }
  }

  /** An agent stage that breaks in an unexpected way is a failed stage, with its reason. */
  async function attempt(input: RunStageInput, adapter: string): Promise<StageResult> {
    const summary = `${input.stage} · ${adapter} · attempt ${input.attempt}`
    try {
      return await agents.runStage.executeWithOptions({ summary }, [input])
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error
      return { outcome: 'failed', reason: rootCause(error) ?? error.message }
    }
  }

  async function attention(at: Place, reason: string): Promise<void> {
    const seen = retries
    await core.report({ ...at, status: 'needs_attention', reason: reason.slice(0, 2000) })
    await condition(() => retries > seen)
    await core.report({ ...at, status: 'active', reason: null })
  }

  async function insist<T>(at: Place, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        const failed = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure
        if (!failed || isCancellation(error)) throw error
        await attention(at, rootCause(error) ?? error.message)
      }
    }
  }

  /** A pause ends the scope only; a cancellation of the whole workflow is passed on. */
  async function interruptible<T>(work: () => Promise<T>): Promise<T | 'interrupted'> {
    const scope = new CancellationScope()
    running.add(scope)
    const around = CancellationScope.current()
    try {
      return await scope.run(work)
    } catch (error) {
      if (isCancellation(error) && !around.consideredCancelled) return 'interrupted'
      throw error
    } finally {
      running.delete(scope)
    }
  }

  async function decision({
    reviewId,
    decided,
  }: OpenedReview): Promise<Extract<SettledReview, { decided: true }>> {
    if (decided) told.add(reviewId)
    for (let looks = 0; ; looks += 1) {
      await condition(() => told.has(reviewId), secondsToNextLook(looks) * 1000)
      told.delete(reviewId)
      const settled = await core.settleReview({ reviewId })
      if (settled.decided) return settled
    }
  }

  return {
    runStage,
    decision,
    unpaused,
    isPaused: () => paused,
    attention,
    insist,
    onPause: (listener) => void pauseListeners.push(listener),
    onRetry: (listener) => void retryListeners.push(listener),
    cancelled: () => cancelReason,
  }
}

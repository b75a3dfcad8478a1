import {
  ActivityFailure,
  CancellationScope,
  condition,
  defineSignal,
  isCancellation,
  rootCause,
  setHandler,
  TemporalFailure,
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
  type RetryStage,
  type ReviewDecided,
  SET_ADAPTERS,
  SET_PAUSED,
  type SetAdapters,
  type SetPaused,
  type StageAdapters,
} from '../contracts/messages.ts'
import { secondsToNextLook, secondsToNextTry } from '../domain/pipeline.ts'
import { remember } from '../domain/remember.ts'
import { agents, brief, core } from './activities.ts'
import { markStatus } from './stage-table.ts'

export const reviewDecided = defineSignal<[ReviewDecided]>(REVIEW_DECIDED)
export const setPaused = defineSignal<[SetPaused]>(SET_PAUSED)
export const cancelGoal = defineSignal<[CancelGoal]>(CANCEL_GOAL)
export const setAdapters = defineSignal<[SetAdapters]>(SET_ADAPTERS)
export const retryStage = defineSignal<[RetryStage]>(RETRY_STAGE)

/** What a person can do to a running workflow, and how its work waits for it. */
export interface Controls {
  /** Runs an agent stage to its answer: pauses interrupt it and resume the same session, provider pauses are slept through. */
  runStage(
    input: RunStageInput,
    adapter: () => string,
  ): Promise<Exclude<StageResult, { outcome: 'parked' }>>
  /** Waits for a person's decision; the row is read after each signal, and on a slow timer in case one was lost. */
  decision(review: OpenedReview): Promise<Extract<SettledReview, { decided: true }>>
  /** Says that a person is needed and why, and waits until one asks for another try. */
  attention(at: Place, reason: string): Promise<void>
  /** Does `work` until it succeeds: a failure asks for a person, whose retry does it again. Cancellation passes through. */
  insist<T>(at: Place, work: () => Promise<T>): Promise<T>
  isPaused(): boolean
  /** What the workflow is, for as long as it is not over. */
  status(): 'active' | 'paused' | 'needs_attention'
  /** Waits while paused. */
  unpaused(): Promise<void>
  /** One listener each: the last one counts. */
  onPause(listener: () => Promise<void>): void
  onRetry(listener: (key: string) => Promise<void>): void
  onAdapters(listener: () => Promise<void>): void
  /** Which agent works in which stage, once a person gave the goal another profile. */
  adapters(): StageAdapters | undefined
  /** Waits for a pause, a resume or a cancellation that Postgres knows of already, or to look again; `looks`: so far. */
  newsFromPerson(looks: number): Promise<void>
  /** Resolves when no agent stage is at work any more, however each ended. */
  idle(): Promise<void>
  /** Set once a person cancelled the goal. */
  cancelled(): string | undefined
}

export type Place = Pick<ReportInput, 'goalId' | 'taskId' | 'stage' | 'attempt'>

/** What was asked for could not be done. An activity done in place fails with its own error, any other with one around it. */
export const isFailure = (error: unknown): error is TemporalFailure =>
  error instanceof TemporalFailure && !isCancellation(error)

/** Registers the signal handlers: call it before the first await of a workflow. */
export function createControls(onCancel?: (reason: string) => void): Controls {
  let paused = false
  let questions = 0
  let retries = 0
  let cancelReason: string | undefined
  let news = 0
  const told = new Set<string>()
  const retriesSeen = new Set<string>()
  const atWork = new Set<Promise<unknown>>()
  const running = new Set<CancellationScope>()
  let onPause: () => Promise<void> = async () => undefined
  let onRetry: (key: string) => Promise<void> = async () => undefined
  let adapters: StageAdapters | undefined
  let onAdapters: () => Promise<void> = async () => undefined

  const status = () => {
    if (paused) return 'paused'
    return questions > 0 ? 'needs_attention' : 'active'
  }

  setHandler(setPaused, async (message) => {
    news += 1
    if (paused === message.paused) return
    paused = message.paused
    markStatus(status())
    if (paused) for (const scope of running) scope.cancel()
    await onPause()
  })
  setHandler(reviewDecided, ({ reviewId }) => void remember(told, reviewId))
  setHandler(retryStage, async ({ key }) => {
    // the outbox delivers at least once; a second delivery must not start a stage that failed since
    if (!remember(retriesSeen, key)) return
    retries += 1
    await onRetry(key)
  })
  setHandler(setAdapters, async (message) => {
    adapters = message.adapters
    await onAdapters()
  })
  setHandler(cancelGoal, ({ reason }) => {
    news += 1
    if (cancelReason !== undefined) return
    cancelReason = reason
    onCancel?.(reason)
  })

  const unpaused = async () => {
    if (paused) await condition(() => !paused)
  }

  async function runStage(
    input: RunStageInput,
    adapter: () => string,
  ): Promise<Exclude<StageResult, { outcome: 'parked' }>> {
    let tryNow: number | undefined
    for (;;) {
      await unpaused()
      const asked = tryNow === undefined ? input : { ...input, tryNow }
      const result = await interruptible(() => attempt(asked, adapter()))
      if (result === 'interrupted') continue
      if (result.outcome !== 'parked') return result
      const seen = retries
      const wait = Math.max(1, result.untilMs - Date.now())
      const retried = await condition(() => retries > seen, wait)
      tryNow = retried ? result.segment : undefined
    }
  }

  /** An agent stage that breaks in an unexpected way is a failed stage, with its reason. */
  async function attempt(input: RunStageInput, adapter: string): Promise<StageResult> {
    const summary = `${input.stage} · ${adapter} · attempt ${input.attempt}`
    try {
      return await agents.runStage.executeWithOptions({ summary }, [input])
    } catch (error) {
      // the server does not retry what was asked to stop, so a pause can end in any failure
      if (CancellationScope.current().consideredCancelled) throw error
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error
      return { outcome: 'failed', reason: rootCause(error) ?? error.message }
    }
  }

  async function attention(at: Place, reason: string, more: { around?: true } = {}): Promise<void> {
    const seen = retries
    const asked = {
      ...at,
      ...more,
      status: 'needs_attention',
      reason: reason.slice(0, 2000),
    } as const
    if ((await core.report(asked))?.answered) return
    questions += 1
    markStatus(status())
    try {
      await condition(() => retries > seen)
    } finally {
      questions -= 1
    }
    markStatus(status())
    await core.report({ ...at, status: 'active', reason: null })
  }

  async function insist<T>(at: Place, work: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await work()
      } catch (error) {
        if (!isFailure(error)) throw error
        await attention(at, rootCause(error) ?? error.message, { around: true })
      }
    }
  }

  /** A pause ends the scope only; a cancellation of the whole workflow is passed on. */
  async function interruptible<T>(work: () => Promise<T>): Promise<T | 'interrupted'> {
    const scope = new CancellationScope()
    running.add(scope)
    const around = CancellationScope.current()
    const result = scope.run(work)
    atWork.add(result)
    try {
      return await result
    } catch (error) {
      if (scope.consideredCancelled && !around.consideredCancelled) return 'interrupted'
      throw error
    } finally {
      running.delete(scope)
      atWork.delete(result)
    }
  }

  async function decision({
    reviewId,
    decided,
  }: OpenedReview): Promise<Extract<SettledReview, { decided: true }>> {
    if (decided) told.add(reviewId)
    for (let looks = 0; ; looks += 1) {
      const seconds = secondsToNextLook(looks, Math.random())
      await condition(() => told.has(reviewId), seconds * 1000)
      told.delete(reviewId)
      const settled = await brief().settleReview({ reviewId })
      if (settled.decided) return settled
    }
  }

  return {
    runStage,
    decision,
    unpaused,
    isPaused: () => paused,
    status,
    attention,
    insist,
    onPause: (listener) => {
      onPause = listener
    },
    onRetry: (listener) => {
      onRetry = listener
    },
    onAdapters: (listener) => {
      onAdapters = listener
    },
    adapters: () => adapters,
    newsFromPerson: async (looks) => {
      const seen = news
      const seconds = secondsToNextTry(looks, Math.random())
      await condition(() => news > seen, seconds * 1000)
    },
    idle: async () => {
      await Promise.allSettled([...atWork])
    },
    cancelled: () => cancelReason,
  }
}

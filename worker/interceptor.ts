import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity'
import { TemporalFailure } from '@temporalio/common'
import type {
  ActivityExecuteInput,
  ActivityInboundCallsInterceptor,
  Next,
} from '@temporalio/worker'
import type { Delayed } from '../db/delays.ts'
import { isDiskFull } from '../domain/disk.ts'
import { isPassing } from '../domain/passing.ts'
import { GitProblem } from '../git/problem.ts'

const BEAT_MS = 1000
/** A full disk is waited for this often, some minutes, before a person is asked. */
const DISK_TRIES = 20
/** Nobody is asked when these fail, for they are how people are asked and answered: they are tried until they succeed. */
const ASK_NOBODY: readonly string[] = ['report', 'settleReview']
/** By this try some 15 s have passed: what gets better sooner is not worth a word. */
const FIRST_TOLD_TRY = 6
/** An error that nobody foresaw may still pass: it is tried again this often before a person is asked. */
const UNFORESEEN_TRIES = 5

/** What the edge tells of: words for operators, and why a goal stands still for whoever looks at it. */
export interface EdgeDeps {
  log: (message: string, data: Record<string, unknown>) => void
  noteDelay: (work: Delayed, error: string) => Promise<void>
  endDelay: (work: Delayed) => Promise<void>
}

/**
 * Around every activity: a heartbeat each second, so that a dead worker is noticed and a pause arrives soon; and the
 * one place that says what is worth trying again. What a person must settle is not retryable, with its advice.
 */
export class ActivityEdge implements ActivityInboundCallsInterceptor {
  private unforeseen = 0
  private readonly deps: EdgeDeps

  constructor(deps: EdgeDeps) {
    this.deps = deps
  }

  async execute(
    input: ActivityExecuteInput,
    next: Next<ActivityInboundCallsInterceptor, 'execute'>,
  ): Promise<unknown> {
    const context = Context.current()
    // none at once: each is a durable write in Temporal, and most activities are over before the first
    const beat = setInterval(() => context.heartbeat(), BEAT_MS)
    try {
      for (;;) {
        try {
          const result = await next(input)
          await this.tellTheGoal(input)
          return result
        } catch (error) {
          if (await this.worthAnotherTry(error)) continue
          this.sayThatItWaits(error)
          const failure = atTheEdge(error)
          // those that activities make themselves have told why they wait
          if (failure !== error)
            await this.tellTheGoal(input, isTriedAgain(failure) ? wordsOf(error) : undefined)
          throw failure
        }
      }
    } finally {
      clearInterval(beat)
    }
  }

  /** Temporal tries passing failures without end: between two words are five minutes. */
  private sayThatItWaits(error: unknown): void {
    const { activityType: activity, attempt: tries } = Context.current().info
    if (!isPassing(error) || tries % 30 !== FIRST_TOLD_TRY) return
    this.deps.log('an activity waits for what it needs', { activity, tries, err: error as Error })
  }

  /** Only Temporal's own page would show that it tries something again and again. Where Postgres is what is away, nobody can be told. */
  private async tellTheGoal({ args }: ActivityExecuteInput, why?: string): Promise<void> {
    const { activityType, attempt } = Context.current().info
    const { goalId, taskId } = (args[0] ?? {}) as { goalId?: string; taskId?: string | null }
    if (attempt < FIRST_TOLD_TRY || goalId === undefined) return
    const at = { goalId, work: taskId ? `${activityType}/${taskId}` : activityType }
    const told = why === undefined ? this.deps.endDelay(at) : this.deps.noteDelay(at, why)
    await told.catch((error) =>
      this.deps.log('a delay was not told', { ...at, error: String(error) }),
    )
  }

  private async worthAnotherTry(error: unknown): Promise<boolean> {
    if (
      error instanceof TemporalFailure ||
      error instanceof GitProblem ||
      isPassing(error) ||
      isDiskFull(error)
    )
      return false
    this.unforeseen += 1
    this.deps.log('activity failed', {
      activity: Context.current().info.activityType,
      tries: this.unforeseen,
      err: error as Error,
    })
    if (this.unforeseen >= UNFORESEEN_TRIES) return false
    await Context.current().sleep(200 * 2 ** this.unforeseen)
    return true
  }
}

const isTriedAgain = (failure: unknown): boolean =>
  failure instanceof ApplicationFailure && failure.nonRetryable !== true

/** Of a statement that failed only what Postgres said; knex puts the whole statement before it. */
function wordsOf(error: unknown): string {
  const { message, severity } = error as { message?: string; severity?: string }
  const words = message ?? String(error)
  return severity === undefined ? words : (words.split(' - ').at(-1) ?? words)
}

/** The failure as Temporal takes it: passing ones are retried by its policy, the others end the activity. */
function atTheEdge(error: unknown): unknown {
  if (error instanceof TemporalFailure || error instanceof CancelledFailure) return error
  if (isDiskFull(error)) return diskFull(error as Error)
  if (error instanceof GitProblem)
    return ApplicationFailure.nonRetryable(error.message, `git:${error.code}`)
  const message = (error as Error).message ?? String(error)
  if (isPassing(error)) return ApplicationFailure.retryable(message, 'passing')
  if (ASK_NOBODY.includes(Context.current().info.activityType))
    return ApplicationFailure.retryable(message, 'unforeseen')
  return ApplicationFailure.nonRetryable(`Dispatch could not go on: ${message}`, 'unforeseen')
}

/** Tried again for some minutes, because space is often made meanwhile; then it is a failure that names itself. */
function diskFull(error: Error): ApplicationFailure {
  const { activityType, attempt } = Context.current().info
  if (attempt < DISK_TRIES || ASK_NOBODY.includes(activityType))
    return ApplicationFailure.retryable(error.message, 'disk_full')
  return ApplicationFailure.nonRetryable(
    `The disk is full (${error.message}). Free some space, then retry.`,
    'disk_full',
  )
}

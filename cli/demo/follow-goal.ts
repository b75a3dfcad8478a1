import { setTimeout as delay } from 'node:timers/promises'
import type { Goal, Review, ReviewSummary } from '../../contracts/schemas.ts'
import type { Deps } from '../command.ts'
import { isUnreachable, problemBody } from '../failure.ts'
import { bursts } from '../watch.ts'
import type { Display } from './display.ts'

const PATIENCE_MS = 60_000

export interface Follow {
  goalId: string
  deps: Deps
  display: Display
  /** Called with each state of the goal, before its reviews are looked at. */
  onGoal(goal: Goal): Promise<void>
  /** Lines that say what waits and who approves it. */
  present(review: Review): string[]
  /** True: the demo does not decide this one, and the following ends there. */
  leave(review: ReviewSummary, goal: Goal): boolean
}

/**
 * Shows a goal live and approves what waits, until it ends, needs a person, or a review is to be left; returns its state
 * then. Throws when the server cannot be reached for a minute.
 */
export async function followGoal(follow: Follow): Promise<Goal> {
  const { goalId, deps, display } = follow
  const look = () => patiently(() => deps.call('getGoal', { params: { id: goalId } }), deps.signal)
  const stop = new AbortController()
  const signal = AbortSignal.any([deps.signal, stop.signal])
  const approved = new Set<string>()
  let goal = await look()
  try {
    for await (const _ of bursts(deps.subscribe(`goal/${goalId}`, { after: 0, signal }))) {
      goal = await look()
      display.show(goal)
      await follow.onGoal(goal)
      if (goal.status !== 'active') return goal
      // one at a time: the goal has moved on when the next one is looked at
      const review = goal.reviews.find(
        ({ id, status }) => status === 'pending' && !approved.has(id),
      )
      if (!review) continue
      if (follow.leave(review, goal)) return goal
      await approve(review, follow)
      approved.add(review.id)
    }
    return goal
  } finally {
    stop.abort()
  }
}

async function approve({ id }: ReviewSummary, { deps, display, present }: Follow) {
  const review = await patiently(() => deps.call('getReview', { params: { id } }), deps.signal)
  display.print(present(review))
  await patiently(
    () =>
      deps.call('decideReview', {
        params: { id },
        body: {
          decision: 'approve',
          hash: review.hash,
          via: 'cli',
          checklist: review.checklist.map((item) => item.id),
          comment: "Approved by the demo, on the person's behalf.",
        },
      }),
    deps.signal,
  )
}

/** While the demo kills parts of it, the server may be away for some seconds. Deciding twice the same is harmless. */
export async function patiently<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await work()
    } catch (error) {
      const away = isUnreachable(error) || (problemBody(error)?.status ?? 0) >= 500
      if (!away || performance.now() > deadline || signal.aborted) throw error
      await delay(250, undefined, { signal })
    }
  }
}

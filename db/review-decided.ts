import { goalStream } from '../contracts/ids.ts'
import type { Tx } from './connect.ts'
import type { EmittedEvent } from './events.ts'

type Decided = Extract<EmittedEvent, { type: 'review.decided' }>

/** What is told of a decision, whoever made it. */
export function reviewDecided(
  actor: string,
  review: { goalId: string; taskId: string | null; reviewId: string },
  decision: Decided['data']['decision'],
  comment: string | null,
): Decided {
  const { goalId, taskId, reviewId } = review
  const data = { goalId, taskId, reviewId, decision, comment }
  return { type: 'review.decided', stream: goalStream(goalId), actor, data }
}

/** The columns of a review that nobody is asked about: the policy's approval, on record like a person's. */
export const approvedByPolicy = (tx: Tx) => ({
  status: 'approved',
  decision: 'approve',
  decided_by: 'policy',
  via: 'policy',
  decided_at: tx.fn.now(),
})

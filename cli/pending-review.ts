import { parseId } from '../contracts/ids.ts'
import type { Review, ReviewSummary } from '../contracts/schemas.ts'
import type { Deps } from './command.ts'
import { CliFailure, problemBody, usageFailure } from './failure.ts'
import { canonical } from './target.ts'

/**
 * The review that the id of a review, task or goal means; for task and goal the pending one.
 * Several pending: throws a usage failure that lists them. None: not found.
 */
export async function reviewFor(text: string, deps: Deps): Promise<Review> {
  const id = parseId(text)
  const known = canonical(text)
  if (!id || ('kind' in id && (id.kind === 'project' || id.kind === 'run')))
    throw usageFailure(
      `"${text}" is not the id of a review, task or goal.`,
      'It looks like R-9, T-31 or G-12.',
    )
  if ('kind' in id && id.kind === 'review') return deps.call('getReview', { params: { id: known } })
  if ('kind' in id && id.kind === 'goal')
    return single(known, await pendingOfGoal(known, deps), deps)
  if ('kind' in id) return single(known, await pendingOfTask(known, deps), deps)
  return reviewOfUuid(known, deps)
}

/** A uuid does not say what it names. */
async function reviewOfUuid(uuid: string, deps: Deps): Promise<Review> {
  const review = await unlessNotFound(deps.call('getReview', { params: { id: uuid } }))
  if (review) return review
  const ofTask = await unlessNotFound(pendingOfTask(uuid, deps))
  return single(uuid, ofTask ?? (await pendingOfGoal(uuid, deps)), deps)
}

async function pendingOfGoal(goal: string, deps: Deps): Promise<ReviewSummary[]> {
  const { items } = await deps.call('listReviews', {
    query: { status: 'pending', goal, limit: 200 },
  })
  return items
}

async function pendingOfTask(id: string, deps: Deps): Promise<ReviewSummary[]> {
  const task = await deps.call('getTask', { params: { id } })
  return (await pendingOfGoal(task.goalId, deps)).filter(({ taskId }) => taskId === task.id)
}

async function single(asked: string, pending: ReviewSummary[], deps: Deps): Promise<Review> {
  const [first, ...others] = pending
  if (!first)
    throw new CliFailure(
      'notFound',
      'no_pending_review',
      `Nothing of ${asked} waits for a review.`,
      'What waits: dispatch reviews',
    )
  if (others.length > 0) {
    const list = pending
      .map(({ shortId, kind, title }) => `  ${shortId}  ${kind}  ${title}`)
      .join('\n')
    throw usageFailure(
      `${pending.length} reviews of ${asked} wait:\n${list}`,
      `Name one: dispatch approve ${first.shortId}`,
    )
  }
  return deps.call('getReview', { params: { id: first.id } })
}

/** The reply, or undefined when there is no such thing. */
export async function unlessNotFound<T>(reply: Promise<T>): Promise<T | undefined> {
  try {
    return await reply
  } catch (error) {
    if (problemBody(error)?.status === 404) return undefined
    throw error
  }
}

import type { Review } from '../../contracts/schemas.ts'
import { decisionsOf } from '../../contracts/stages.ts'
import { type Deps, defineCommand } from '../command.ts'
import { CliFailure, EXIT } from '../failure.ts'
import type { Io } from '../io.ts'
import { reviewFor } from '../pending-review.ts'
import { decided } from '../print-review.ts'

const id = { required: true, help: 'a review, task or goal', complete: 'review' } as const
const options = {
  hash: { type: 'string', help: 'decide only when it still has this hash' },
} as const

export const reject = defineCommand({
  name: 'reject',
  summary: 'Reject what waits for you and cancel its whole goal',
  prints: { replies: ['decideReview'] },
  args: { id, reason: { required: true, help: 'why' } },
  options: { ...options, yes: { type: 'boolean', short: 'y', help: 'do not ask on a terminal' } },
  examples: [
    'dispatch reject T-31 "Not needed any more"',
    'dispatch request-changes T-31 "Use the queue"  # instead: the agent does it again',
  ],
  run: ({ id, reason, hash, yes }, deps, io) =>
    sendBack({ decision: 'reject', id, comment: reason, hash, yes }, deps, io),
})

export const requestChanges = defineCommand({
  name: 'request-changes',
  summary: 'Send it back to the agent with a comment; the goal goes on',
  prints: { replies: ['decideReview'] },
  args: { id, comment: { required: true, help: 'what should be different' } },
  options,
  examples: ['dispatch request-changes R-9 "Keep the old flag working"'],
  run: ({ id, comment, hash }, deps, io) =>
    sendBack({ decision: 'request_changes', id, comment, hash, yes: true }, deps, io),
})

interface SendBack {
  decision: 'reject' | 'request_changes'
  id: string
  comment: string
  hash: string | undefined
  /** Asks nothing. */
  yes: boolean
}

async function sendBack(
  { decision, id, comment, hash, yes }: SendBack,
  deps: Deps,
  io: Io,
): Promise<number> {
  const review = await reviewFor(id, deps)
  // of one that is decided the server says who was first, or that this person said the same
  const asks = decision === 'reject' && !yes && review.status === 'pending'
  if (asks && io.interactive) await confirmReject(review, io)
  const reply = await deps.call('decideReview', {
    params: { id: review.id },
    body: { decision, hash: hash ?? review.hash, comment, via: 'cli' },
  })
  if (io.json) io.document(reply)
  io.print(`${reply.shortId} ${io.clean(decided(reply))}: ${io.clean(reply.title)}`)
  if (decision === 'reject')
    io.print(
      `${reply.goalShortId} is cancelled with it, all its tasks too. Where its work is kept: dispatch goal show ${reply.goalShortId}`,
    )
  else io.note(`Watch it go on: dispatch goal watch ${reply.goalShortId}`)
  return EXIT.ok
}

/** To reject sounds like less than it is. */
async function confirmReject({ shortId, goalShortId, title, kind }: Review, io: Io) {
  io.note(`${shortId}: ${io.clean(title)}`)
  const instead = decisionsOf(kind).includes('request_changes')
    ? `To have it done again: dispatch request-changes ${shortId} "…"`
    : `To grant it more tokens: dispatch approve ${shortId}`
  io.note(`This cancels the whole goal ${goalShortId}, with all its tasks. ${instead}`)
  if (await io.confirm(`Reject ${shortId} and cancel ${goalShortId}?`)) return
  throw new CliFailure(
    'refused',
    'declined',
    `${shortId} was not rejected; it still waits.`,
    instead,
  )
}

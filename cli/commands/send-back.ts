import { type Deps, defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import type { Io } from '../io.ts'
import { reviewFor } from '../pending-review.ts'
import { decided } from '../print-review.ts'

const id = { required: true, help: 'a review, task or goal', complete: 'review' } as const
const options = {
  hash: { type: 'string', help: 'decide only when it still has this hash' },
} as const

export const reject = defineCommand({
  name: 'reject',
  summary: 'Reject what waits for you, with the reason',
  args: { id, reason: { required: true, help: 'why' } },
  options,
  examples: ['dispatch reject T-31 "Wrong approach: use the queue"'],
  run: ({ id, reason, hash }, deps, io) =>
    sendBack({ decision: 'reject', id, comment: reason, hash }, deps, io),
})

export const requestChanges = defineCommand({
  name: 'request-changes',
  summary: 'Send it back to the agent with a comment',
  args: { id, comment: { required: true, help: 'what should be different' } },
  options,
  examples: ['dispatch request-changes R-9 "Keep the old flag working"'],
  run: ({ id, comment, hash }, deps, io) =>
    sendBack({ decision: 'request_changes', id, comment, hash }, deps, io),
})

interface SendBack {
  decision: 'reject' | 'request_changes'
  id: string
  comment: string
  hash: string | undefined
}

async function sendBack(
  { decision, id, comment, hash }: SendBack,
  deps: Deps,
  io: Io,
): Promise<number> {
  const review = await reviewFor(id, deps)
  const reply = await deps.call('decideReview', {
    params: { id: review.id },
    body: { decision, hash: hash ?? review.hash, comment, via: 'cli' },
  })
  if (io.json) io.document(reply)
  io.print(`${reply.shortId} ${io.clean(decided(reply))}: ${io.clean(reply.title)}`)
  return EXIT.ok
}

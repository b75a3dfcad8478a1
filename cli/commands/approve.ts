import { defineCommand } from '../command.ts'
import { CliFailure, EXIT, usageFailure } from '../failure.ts'
import { reviewFor } from '../pending-review.ts'
import { decided, printReview } from '../print-review.ts'

export const approve = defineCommand({
  name: 'approve',
  summary: 'Show what waits for you and approve it',
  args: { id: { required: true, help: 'a review, task or goal', complete: 'review' } },
  options: {
    yes: { type: 'boolean', short: 'y', help: 'approve what is shown without asking' },
    hash: { type: 'string', help: 'approve only what has this hash; asks nothing' },
    comment: { type: 'string', value: 'text', help: 'for the record' },
  },
  examples: ['dispatch approve T-31', 'dispatch approve R-9 --yes --comment "Read it all"'],
  async run({ id, yes, hash, comment }, deps, io) {
    const unattended = yes || hash !== undefined
    if (!io.interactive && !unattended)
      throw usageFailure(
        'This is not a terminal (or it must not ask), so nobody can say yes.',
        'Approve what is there now with --yes, or what you have seen with --hash <hash>.',
      )
    const review = await reviewFor(id, deps)
    printReview(review, io)
    if (review.status !== 'pending' && review.status !== 'approved')
      throw new CliFailure('refused', 'already_decided', `${review.shortId} is ${decided(review)}.`)
    if (!unattended && !(await io.confirm(`Approve ${review.shortId}?`)))
      throw new CliFailure(
        'refused',
        'declined',
        `${review.shortId} was not approved; it still waits.`,
      )
    const reply = await deps.call('decideReview', {
      params: { id: review.id },
      body: {
        decision: 'approve',
        hash: hash ?? review.hash,
        via: 'cli',
        checklist: review.checklist.map((item) => item.id),
        ...(comment ? { comment } : {}),
      },
    })
    if (io.json) io.document(reply)
    io.print(`${reply.shortId} ${io.clean(decided(reply))}`)
    io.note(`Watch it go on: dispatch goal watch ${reply.goalShortId}`)
    return EXIT.ok
  },
})

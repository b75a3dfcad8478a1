import type { Review } from '../../contracts/schemas.ts'
import { type Deps, defineCommand } from '../command.ts'
import { CliFailure, EXIT, usageFailure } from '../failure.ts'
import type { Io } from '../io.ts'
import { reviewFor } from '../pending-review.ts'
import { decided, printReview } from '../print-review.ts'
import type { SpecEdits } from '../spec-edits.ts'

export const approve = defineCommand({
  name: 'approve',
  summary: 'Show what waits for you and approve it',
  args: { id: { required: true, help: 'a review, task or goal', complete: 'review' } },
  options: {
    yes: { type: 'boolean', short: 'y', help: 'approve what is shown without asking' },
    hash: { type: 'string', help: 'approve only what has this hash; asks nothing' },
    diff: { type: 'boolean', help: 'show the patch before asking' },
    edit: { type: 'boolean', help: 'change the spec in your editor, and approve that' },
    edits: {
      type: 'string',
      value: 'file',
      help: 'approve the spec of this JSON file ("-": stdin)',
    },
    comment: { type: 'string', value: 'text', help: 'for the record' },
  },
  examples: [
    'dispatch approve T-31 --diff',
    'dispatch approve R-1 --edit',
    'dispatch approve R-9 --yes --comment "Read it all"',
  ],
  async run({ id, yes, hash, diff, edit, edits, comment }, deps, io) {
    const review = await reviewFor(id, deps)
    const unattended = yes || hash !== undefined
    refuseWhatCannotBeAsked({ unattended, edit, edits }, io)
    printReview(review, io)
    if (review.status !== 'pending' && review.status !== 'approved')
      throw new CliFailure('refused', 'already_decided', `${review.shortId} is ${decided(review)}.`)
    if (diff) await showDiff(review, deps, io)
    const changed = await editedSpec(review, { edit, edits }, { deps, io })
    const decide = async () => {
      if (!unattended) await ask(review, { changed, diff }, io)
      return deps.call('decideReview', {
        params: { id: review.id },
        body: {
          decision: 'approve',
          hash: hash ?? review.hash,
          via: 'cli',
          checklist: review.checklist.map((item) => item.id),
          ...(comment ? { comment } : {}),
          ...(changed?.edits ? { edits: changed.edits } : {}),
        },
      })
    }
    const reply = await (changed ? changed.keepUntil(decide) : decide())
    if (io.json) io.document(reply)
    io.print(
      `${reply.shortId} ${io.clean(decided(reply))}${changed?.edits ? ', with your changes' : ''}`,
    )
    io.note(`Watch it go on: dispatch goal watch ${reply.goalShortId}`)
    return EXIT.ok
  },
})

async function showDiff(review: Review, deps: Deps, io: Io) {
  const { diffOfReview, showDiffs } = await import('../show-diff.ts')
  await showDiffs(await diffOfReview(review, deps), deps, io)
}

async function editedSpec(
  review: Review,
  options: { edit: boolean; edits: string | undefined },
  { deps, io }: { deps: Deps; io: Io },
): Promise<SpecEdits | undefined> {
  if (!options.edit && options.edits === undefined) return undefined
  const { specEdits } = await import('../spec-edits.ts')
  return specEdits(review, options, { deps, io })
}

function refuseWhatCannotBeAsked(
  options: { unattended: boolean; edit: boolean; edits: string | undefined },
  io: Io,
) {
  const { unattended, edit, edits } = options
  if (edit && edits !== undefined) throw usageFailure('Give --edit or --edits, not both.')
  if (edit && !io.interactive)
    throw usageFailure(
      'This is not a terminal (or it must not ask), so no editor can be opened.',
      'Give the changed spec as a file: --edits <file>',
    )
  if (unattended) return
  if (!io.interactive)
    throw usageFailure(
      'This is not a terminal (or it must not ask), so nobody can say yes.',
      'Approve what is there now with --yes, or what you have seen with --hash <hash>.',
    )
  if (edits === '-')
    throw usageFailure('stdin has the spec, so nobody can say yes.', 'Add --yes or --hash <hash>.')
}

async function ask(
  review: Review,
  { changed, diff }: { changed: SpecEdits | undefined; diff: boolean },
  io: Io,
) {
  if (!diff && review.files.length > 0) io.note(`See the patch: dispatch diff ${review.shortId}`)
  if (review.kind === 'spec' && !changed)
    io.note(`Change it first: dispatch approve ${review.shortId} --edit`)
  const what = changed?.edits ? ' with your changes' : ''
  if (changed && !changed.edits) io.note('You changed nothing.')
  const question = `Approve ${review.shortId}${what}?`
  if (await io.confirm(question)) return
  throw new CliFailure('refused', 'declined', `${review.shortId} was not approved; it still waits.`)
}

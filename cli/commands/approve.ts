import { hasPassed } from '../../contracts/figures.ts'
import type { ChecklistItem, Review } from '../../contracts/schemas.ts'
import { type Deps, defineCommand } from '../command.ts'
import { CliFailure, EXIT, usageFailure } from '../failure.ts'
import type { Io } from '../io.ts'
import { reviewFor } from '../pending-review.ts'
import { decided, itemLine, printReview } from '../print-review.ts'
import type { SpecEdits } from '../spec-edits.ts'

export const approve = defineCommand({
  name: 'approve',
  summary: 'Show what waits for you and approve it',
  goesOnWithout: 'reader',
  prints: { replies: ['decideReview'] },
  args: { id: { required: true, help: 'a review, task or goal', complete: 'review' } },
  options: {
    yes: { type: 'boolean', short: 'y', help: 'approve what is shown without asking' },
    hash: { type: 'string', help: 'approve only what has this hash; asks nothing' },
    diff: { type: 'boolean', help: 'show the patch before asking' },
    edit: { type: 'boolean', help: 'change the spec in your editor, and approve that' },
    edits: {
      type: 'string',
      value: 'file',
      help: 'approve the spec of this JSON file ("-": stdin), as --json=spec of "dispatch review" prints it',
    },
    checklist: {
      type: 'string',
      value: 'ids',
      help: 'items that did not pass and that you checked yourself, by commas, or "all"',
    },
    comment: {
      type: 'string',
      value: 'text',
      help: 'for the record, and for the agents that work on',
    },
  },
  examples: [
    'dispatch approve T-31 --diff',
    'dispatch approve R-1 --edit',
    'dispatch approve R-9 --yes --checklist AC-2 --comment "Read it all"',
  ],
  async run({ id, yes, hash, diff, edit, edits, checklist, comment }, deps, io) {
    const review = await reviewFor(id, deps)
    const waits = review.status === 'pending'
    if (!waits && (edit || review.status !== 'approved'))
      throw new CliFailure(
        'refused',
        'already_decided',
        `${review.shortId} was decided before: ${decided(review)}.`,
      )
    // an approval again asks nothing: the server knows whether it says the same, or who was first
    const unattended = yes || hash !== undefined || !waits
    refuseWhatCannotBeAsked({ unattended, edit, edits }, io)
    if (waits) printReview(review, io)
    const doubts = waits ? doubtsOf(review, checklist) : []
    if (diff && waits) await showDiff(review, deps, io)
    const changed = await editedSpec(review, { edit, edits }, { deps, io })
    if (unattended) refuseDoubts(review, doubts, io)
    const decide = async () => {
      if (!unattended) await ask(review, { changed, diff, doubts }, io)
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

/** Items that did not pass and that are not among those which the person says to have checked. */
function doubtsOf({ shortId, checklist }: Review, named: string | undefined): ChecklistItem[] {
  const ids = (named ?? '').split(',').filter((id) => id !== '')
  const unknown = ids.filter((id) => id !== 'all' && !checklist.some((item) => item.id === id))
  if (unknown.length > 0)
    throw usageFailure(
      `The checklist of ${shortId} has no ${unknown.join(', ')}.`,
      checklist.length > 0 ? `It has ${checklist.map((item) => item.id).join(', ')}.` : undefined,
    )
  return checklist.filter(
    (item) => !hasPassed(item) && !ids.includes(item.id) && !ids.includes('all'),
  )
}

/** Nobody is asked, so nothing that did not pass is ticked off by itself. */
function refuseDoubts({ shortId }: Review, doubts: readonly ChecklistItem[], io: Io) {
  if (doubts.length === 0) return
  throw new CliFailure(
    'refused',
    'checklist_incomplete',
    [notPassed(doubts, shortId), ...doubts.map((item) => itemLine(item, io))].join('\n'),
    `Look at them, then name those that you checked yourself: --checklist ${doubts.map(({ id }) => id).join(',')}`,
  )
}

const notPassed = ({ length }: readonly ChecklistItem[], shortId: string) =>
  `${length} ${length === 1 ? 'item' : 'items'} of ${shortId} did not pass:`

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
  {
    changed,
    diff,
    doubts,
  }: { changed: SpecEdits | undefined; diff: boolean; doubts: readonly ChecklistItem[] },
  io: Io,
) {
  if (!diff && review.files.length > 0) io.note(`See the patch: dispatch diff ${review.shortId}`)
  if (review.kind === 'spec' && !changed)
    io.note(`Change it first: dispatch approve ${review.shortId} --edit`)
  if (doubts.length > 0) io.note(notPassed(doubts, review.shortId))
  for (const item of doubts) io.note(itemLine(item, io))
  const what = changed?.edits ? ' with your changes' : doubts.length > 0 ? ' all the same' : ''
  if (changed && !changed.edits) io.note('You changed nothing.')
  const question = `Approve ${review.shortId}${what}?`
  if (await io.confirm(question)) return
  throw new CliFailure('refused', 'declined', `${review.shortId} was not approved; it still waits.`)
}

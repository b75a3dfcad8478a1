import type { Review, ReviewDiff, ReviewFile } from '../../../../contracts/schemas.ts'
import { type Decision, TOO_LARGE } from '../../../../contracts/stages.ts'
import { plural } from '../../lib/format.ts'
import { MESSAGE_LIMIT } from './compose-message.ts'

/** Something that is missing before a decision can be sent. */
export interface Blocker {
  text: string
  /** Where to go for it. */
  at: 'checklist' | 'diff' | 'spec' | 'message' | 'comment'
}

/**
 * Why a decision cannot be sent yet. The server asks for the same checklist; what it cannot know is whether all of a diff was
 * on the screen.
 */
export function blockersOf(input: {
  review: Pick<Review, 'kind' | 'tier' | 'checklist'>
  decision: Decision
  /** The summary with all remarks. */
  message: string
  checked: readonly string[]
  /** Files of which nothing has been loaded yet. */
  unloaded: number
  /** Files that are too large to be shown whole and were not marked as viewed by other means. */
  cut: number
  /** The diff that is shown is not that of the review. */
  otherDiff: boolean
  /** Problems of an edited spec. */
  problems: number
  /** Comments that are being written. */
  unfinished: number
}): Blocker[] {
  const { review, decision, message, checked } = input
  const blockers: Blocker[] = []
  if (message.length > MESSAGE_LIMIT)
    blockers.push({ text: `${message.length - MESSAGE_LIMIT} characters too long`, at: 'message' })
  if (input.unfinished > 0)
    blockers.push({
      text: `${plural(input.unfinished, 'comment')} to add or cancel`,
      at: 'comment',
    })
  switch (decision) {
    case 'request_changes':
      if (message === '') blockers.push({ text: 'Say what should change', at: 'message' })
      return blockers
    case 'reject':
      if (message === '') blockers.push({ text: 'Say why', at: 'message' })
      return blockers
    case 'approve':
      break
    default:
      return decision satisfies never
  }
  const open =
    review.tier === 'block' ? review.checklist.filter(({ id }) => !checked.includes(id)) : []
  if (open.length > 0)
    blockers.push({
      text: `${open.length} of ${plural(review.checklist.length, 'item')} to check`,
      at: 'checklist',
    })
  if (input.unloaded > 0)
    blockers.push({ text: `${plural(input.unloaded, 'file')} to load`, at: 'diff' })
  if (input.cut > 0)
    blockers.push({
      text: `${plural(input.cut, 'file')} too large to show whole: read with git, then mark as viewed`,
      at: 'diff',
    })
  if (input.otherDiff) blockers.push({ text: 'The diff is not that of this review', at: 'diff' })
  if (input.problems > 0)
    blockers.push({ text: `${plural(input.problems, 'problem')} in your edits`, at: 'spec' })
  return blockers
}

/**
 * What of a review's diff was not on the screen: files not loaded (all of them while the diff is on its way or could not be
 * read), files that cannot be shown whole and were not viewed by other means, and whether it is another diff altogether.
 */
export function unseenOf(
  review: Pick<Review, 'head' | 'hash' | 'size'>,
  shown: {
    data: ReviewDiff | undefined
    against: 'base' | 'previous'
    whitespace: 'show' | 'ignore'
    /** Another choice is on its way, so `data` is of the one before. */
    pending: boolean
  },
  isViewed: (file: ReviewFile) => boolean,
) {
  const { data } = shown
  const files = data?.files ?? []
  const isCut = ({ patch, notes }: ReviewFile) => patch !== null && notes.includes(TOO_LARGE)
  const isWhole = shown.against === 'base' && shown.whitespace === 'show' && !shown.pending
  const unloaded = files.filter(({ patch }) => patch === null)
  const cut = files.filter((file) => isCut(file) && !isViewed(file))
  return {
    unloaded: data ? unloaded.length : Math.max(1, review.size.files),
    cut: cut.length,
    otherDiff:
      data !== undefined && (data.head !== review.head || (isWhole && data.hash !== review.hash)),
    first: unloaded[0] ?? cut[0],
  }
}

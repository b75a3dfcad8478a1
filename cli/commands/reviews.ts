import { REVIEW_STATUSES, type ReviewStatus } from '../../contracts/stages.ts'
import { goalsInNeed, noteGoalsInNeed } from '../attention.ts'
import { defineCommand, PAGE_OPTIONS } from '../command.ts'
import { EXIT } from '../failure.ts'
import { statusCell, when } from '../format.ts'
import { pageQuery, printPage } from '../page.ts'
import { reviewFor } from '../pending-review.ts'
import { printReview } from '../print-review.ts'
import { goalId } from '../target.ts'

export const reviews = defineCommand({
  name: 'reviews',
  summary: 'List what waits for you: reviews, and goals that need attention',
  prints: { replies: ['listReviews'] },
  args: {},
  options: {
    status: { type: 'string', help: 'only these (pending)', choices: [...REVIEW_STATUSES, 'all'] },
    goal: { type: 'string', help: 'only of this goal' },
    ...PAGE_OPTIONS,
  },
  examples: ['dispatch reviews', 'dispatch reviews --status all --goal G-12'],
  async run({ status = 'pending', goal, limit, cursor }, deps, io) {
    const asked = goal ? goalId(goal) : undefined
    const page = await deps.call('listReviews', {
      query: {
        ...pageQuery({ limit, cursor }),
        ...(status === 'all' ? {} : { status: status as ReviewStatus }),
        ...(asked ? { goal: asked } : {}),
      },
    })
    const inNeed = status === 'pending' ? (await goalsInNeed(deps)).items : []
    const waiting = inNeed.filter(({ id, shortId }) => [undefined, id, shortId].includes(asked))
    const none = waiting.length > 0 ? 'No review waits for you.' : 'Nothing waits for you.'
    if (status === 'pending') Object.assign(page, { goalsInNeed: waiting })
    const code = printPage(io, page, {
      none: status === 'pending' ? none : 'No such reviews.',
      columns: [
        { title: 'REVIEW' },
        { title: 'STATUS' },
        { title: 'KIND' },
        { title: 'TIER' },
        { title: 'OF' },
        { title: 'SINCE' },
        { title: 'TITLE', flexible: true },
      ],
      row: (review) => [
        review.shortId,
        statusCell(review.status, io.tty),
        review.kind,
        review.tier,
        review.taskShortId ?? review.goalShortId,
        when(review.createdAt, io.tty),
        review.title,
      ],
    })
    noteGoalsInNeed(waiting, io)
    return code
  },
})

export const reviewShow = defineCommand({
  name: 'review',
  summary: 'Show a review with everything a decision needs',
  prints: { replies: ['getReview'] },
  args: { id: { required: true, help: 'a review, task or goal', complete: 'review' } },
  options: {},
  examples: ['dispatch review R-9', 'dispatch review T-31 --json'],
  async run({ id }, deps, io) {
    const review = await reviewFor(id, deps)
    if (io.json) io.document(review)
    else printReview(review, io)
    if (review.files.length > 0) io.note(`See the patch: dispatch diff ${review.shortId}`)
    if (review.status === 'pending') io.note(`Approve it: dispatch approve ${review.shortId}`)
    return EXIT.ok
  },
})

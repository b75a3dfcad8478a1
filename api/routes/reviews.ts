import { shortId } from '../../contracts/ids.ts'
import type { Decision } from '../../contracts/stages.ts'
import { type DecisionInput, decideReview, reviewOfTask } from '../../db/decisions.ts'
import { isRefusal, refuse } from '../../db/refusal.ts'
import { resolveId } from '../../db/resolve.ts'
import { setTaskAgent } from '../../db/tasks.ts'
import { listReviews, reviewDetail, reviewRange } from '../../db/views/reviews.ts'
import { listTasks, taskDetail, taskRange } from '../../db/views/tasks.ts'
import type { Handlers } from '../bind.ts'
import type { ChangeContext, Changes } from '../change.ts'
import type { ApiDeps } from '../deps.ts'

type ReviewRoutes = Pick<
  Handlers,
  | 'listReviews'
  | 'getReview'
  | 'getReviewDiff'
  | 'decideReview'
  | 'listTasks'
  | 'getTask'
  | 'updateTask'
  | 'getTaskDiff'
  | 'approveTask'
  | 'rejectTask'
>

/** Tasks, and the decisions about them. */
export function reviewRoutes(deps: ApiDeps, changes: Changes): ReviewRoutes {
  const { knex } = deps.database

  async function decide(at: ChangeContext, input: Omit<DecisionInput, 'actor'>) {
    const refusal = await decideReview(at.tx, at.emit, { ...input, actor: at.actor })
    return refusal ?? reviewDetail(at.tx, input.reviewId)
  }

  const decideTask = (
    idText: string,
    decision: Decision,
    body: Omit<DecisionInput, 'actor' | 'reviewId' | 'decision'>,
  ) =>
    changes.change(async (at) => {
      const task = await resolveId(at.tx, 'task', idText)
      if (isRefusal(task)) return task
      const reviewId = await reviewOfTask(at.tx, task.id)
      if (reviewId === undefined)
        return refuse('no_review', 'This task does not wait for a decision.', {
          advice: 'Look at its stage: it comes to review after verify.',
        })
      return decide(at, { ...body, decision, reviewId })
    })

  return {
    listReviews: ({ query }) => listReviews(knex, query),
    async getReview({ params }) {
      const review = await resolveId(knex, 'review', params.id)
      return isRefusal(review) ? review : reviewDetail(knex, review.id)
    },
    async getReviewDiff({ params, query }) {
      const review = await resolveId(knex, 'review', params.id)
      if (isRefusal(review)) return review
      const { projectId, base, head, tree, previous, number } = await reviewRange(knex, review.id)
      const from = query.against === 'previous' ? previous?.tree : base
      if (!from || !head || !tree)
        return refuse('wrong_state', `${shortId('review', number)} has no diff to show.`, {
          advice: previous ? 'It is about no commit.' : 'Ask for it against its base.',
        })
      const shown = await deps.readReviewDiff({
        ...{ projectId, base: from, head: tree, path: query.path },
        ignoreWhitespace: query.whitespace === 'ignore',
      })
      return { base: from, head, ...shown, previous: shownAttempt(previous) }
    },
    decideReview: ({ params, body }) =>
      changes.change(async (at) => {
        const review = await resolveId(at.tx, 'review', params.id)
        return isRefusal(review) ? review : decide(at, { ...body, reviewId: review.id })
      }),

    listTasks: ({ query }) => listTasks(knex, query),
    async getTask({ params }) {
      const task = await resolveId(knex, 'task', params.id)
      return isRefusal(task) ? task : taskDetail(knex, task.id)
    },
    updateTask: ({ params, body }) =>
      changes.change(async ({ tx, emit, actor }) => {
        const task = await resolveId(tx, 'task', params.id)
        if (isRefusal(task)) return task
        const refused = await setTaskAgent(tx, emit, { id: task.id, agent: body.agent, actor })
        return refused ?? taskDetail(tx, task.id)
      }),
    async getTaskDiff({ params }) {
      const task = await resolveId(knex, 'task', params.id)
      if (isRefusal(task)) return task
      const { projectId, base, head, number } = await taskRange(knex, task.id)
      if (base === null || head === null)
        return refuse('wrong_state', `${shortId('task', number)} has no commit yet.`)
      return { base, head, ...(await deps.readDiff({ projectId, base, head })) }
    },
    approveTask: ({ params, body }) => decideTask(params.id, 'approve', body),
    rejectTask: ({ params, body }) => decideTask(params.id, 'reject', body),
  }
}

/** An earlier attempt as people are told of it. */
function shownAttempt(previous: Awaited<ReturnType<typeof reviewRange>>['previous']) {
  if (previous === null) return null
  const { attempt, head, decidedAt, rebased } = previous
  return { attempt, head, decidedAt, rebased }
}

import { shortId } from '../../contracts/ids.ts'
import type { Decision } from '../../contracts/stages.ts'
import { type DecisionInput, decideReview, reviewOfTask } from '../../db/decisions.ts'
import { isRefusal, refuse } from '../../db/refusal.ts'
import { resolveId } from '../../db/resolve.ts'
import { listReviews, reviewDetail } from '../../db/views/reviews.ts'
import { listTasks, taskDetail, taskRange } from '../../db/views/tasks.ts'
import type { Handlers } from '../bind.ts'
import type { ChangeContext, Changes } from '../change.ts'
import type { ApiDeps } from '../deps.ts'

type ReviewRoutes = Pick<
  Handlers,
  | 'listReviews'
  | 'getReview'
  | 'decideReview'
  | 'listTasks'
  | 'getTask'
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

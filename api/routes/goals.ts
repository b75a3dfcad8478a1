import { routes } from '../../contracts/routes.ts'
import { budgetsOf, budgetsOfNewGoal } from '../../db/budgets.ts'
import type { Assign } from '../../db/goal-profile.ts'
import { cancelGoal, createGoal, pauseGoal, resumeGoal, retryGoal } from '../../db/goals.ts'
import { isRefusal, type Refusal } from '../../db/refusal.ts'
import { holdProfile, resolveId } from '../../db/resolve.ts'
import { goalDetail, goalSummary, listGoals } from '../../db/views/goals.ts'
import { projectDetail } from '../../db/views/projects.ts'
import { dayOf } from '../../domain/budget.ts'
import { assignAgents } from '../assign-agents.ts'
import type { Handlers } from '../bind.ts'
import type { ChangeContext, Changes } from '../change.ts'
import type { ApiDeps } from '../deps.ts'

type GoalRoutes = Pick<
  Handlers,
  'listGoals' | 'createGoal' | 'getGoal' | 'pauseGoal' | 'resumeGoal' | 'cancelGoal' | 'retryGoal'
>

const today = () => dayOf(new Date()).from.toISOString()

export function goalRoutes(deps: ApiDeps, changes: Changes): GoalRoutes {
  const { knex } = deps.database

  /** Resolves the goal, does the work, answers with the goal as it is then. */
  const act = (
    idText: string,
    work: (at: ChangeContext, id: string) => Promise<Refusal | undefined>,
  ) =>
    changes.change(async (at) => {
      const goal = await resolveId(at.tx, 'goal', idText)
      if (isRefusal(goal)) return goal
      return (await work(at, goal.id)) ?? goalSummary(at.tx, goal.id)
    })

  /** Lets the goal go on, with the agents of another profile where one is named. */
  const goOn =
    (work: typeof retryGoal, named: string | undefined) =>
    async ({ tx, emit, actor }: ChangeContext, id: string) => {
      if (named === undefined) return work(tx, emit, { id, actor })
      const profile = await holdProfile(tx, named)
      if (isRefusal(profile)) return profile
      const { description } = await tx('goals').where({ id }).first('description')
      const budgets = () => budgetsOf(tx, { goalId: id, taskId: null, since: today() })
      const assign: Assign = ({ stages, fallbacks }) =>
        assignAgents(tx, { stages, fallbacks, text: description, budgets })
      return work(tx, emit, { id, actor, profile: { id: profile.id, assign } })
    }

  return {
    listGoals: ({ query }) => listGoals(knex, query),

    createGoal: ({ body, idempotencyKey }) =>
      changes.create(
        { route: 'createGoal', status: routes.createGoal.status, idempotencyKey, body },
        async ({ tx, emit, actor }) => {
          const found = await resolveId(tx, 'project', body.project)
          if (isRefusal(found))
            return found.refused === 'not_found' ? { ...found, refused: 'project_unknown' } : found
          const profile =
            body.profile === undefined ? undefined : await holdProfile(tx, body.profile)
          if (isRefusal(profile)) return profile
          const project = await projectDetail(tx, found.id)
          const targetBranch = body.targetBranch ?? project.defaultBranch
          // git looks while the rows are written; both have ended before the transaction does
          const [target, filed] = await Promise.allSettled([
            deps.checkTarget(project.path, targetBranch),
            createGoal(tx, emit, {
              projectId: project.id,
              title: body.title,
              description: body.description,
              profileId: profile?.id,
              targetBranch,
              tokenBudget: body.tokenBudget,
              goalBudget: body.goalBudget,
              skipSpecReview: body.skipSpecReview,
              assign: ({ stages, fallbacks }) =>
                assignAgents(tx, {
                  ...{ stages, fallbacks, text: body.description },
                  budgets: () => budgetsOfNewGoal(tx, { own: body.goalBudget, since: today() }),
                }),
              actor,
            }),
          ])
          if (target.status === 'rejected') throw target.reason
          if (filed.status === 'rejected') throw filed.reason
          const goal = filed.value
          return isRefusal(goal) ? goal : goalSummary(tx, goal.id)
        },
      ),

    async getGoal({ params }) {
      const goal = await resolveId(knex, 'goal', params.id)
      return isRefusal(goal) ? goal : goalDetail(knex, goal.id, deps.workflowUrl)
    },

    pauseGoal: ({ params }) =>
      act(params.id, ({ tx, emit, actor }, id) => pauseGoal(tx, emit, { id, actor })),
    resumeGoal: ({ params, body }) => act(params.id, goOn(resumeGoal, body.profile)),
    cancelGoal: ({ params, body }) =>
      act(params.id, ({ tx, emit, actor }, id) =>
        cancelGoal(tx, emit, { id, actor, reason: body.reason }),
      ),
    retryGoal: ({ params, body }) => act(params.id, goOn(retryGoal, body.profile)),
  }
}

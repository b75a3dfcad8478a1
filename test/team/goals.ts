import { Client } from '@temporalio/client'
import { goalWorkflowId, taskWorkflowId } from '../../contracts/ids.ts'
import type { CheckCommand } from '../../contracts/schemas.ts'
import { hasSpoken } from '../../db/transcripts.ts'
import { connectTemporal } from '../../temporal/connection.ts'
import { type Person, startPerson } from '../chaos/person.ts'
import { brokenInvariants } from '../support/invariants.ts'
import type { Repository } from '../support/own-stack.ts'
import { until } from '../support/until.ts'
import type { Team } from './team.ts'

/** A goal with its own repository and, where one decides for it, its person. */
export interface TeamGoal {
  id: string
  repository: Repository
  person: Person | undefined
}

const COMPLETION_MS = 120_000
const QUIET_MS = 20_000

/** Files a goal of one task. `directives` steer the demo agent; `person: false` leaves its reviews alone; `checks` are the project's. */
export async function fileGoal(
  team: Team,
  name: string,
  {
    directives = '',
    person = true,
    checks,
  }: { directives?: string; person?: boolean; checks?: readonly CheckCommand[] } = {},
): Promise<TeamGoal> {
  const repository = team.repository(name)
  const project = await team.insist('POST', '/api/projects', {
    path: repository.path,
    ...(checks ? { checks, trusted: true } : {}),
  })
  const filed = await team.insist('POST', '/api/goals', {
    project: project.body.id,
    description: `Finish textkit, ${name} [demo:all=instant] [demo:tasks=1] ${directives}`,
    profile: 'Demo',
  })
  if (filed.status !== 202) throw new Error(`the goal was refused: ${JSON.stringify(filed.body)}`)
  const id: string = filed.body.id
  return { id, repository, person: person ? startPerson(team, id) : undefined }
}

/** Resolves with the row when a stage of the goal has this status. */
export async function reached(team: Team, { id }: TeamGoal, stage: string, status: string) {
  return until(
    () =>
      team.ask((knex) =>
        knex('stage_attempts').where({ goal_id: id, stage, status }).first('id', 'attempt'),
      ),
    { ms: 60_000, what: `${stage} to be ${status}`, everyMs: 20 },
  )
}

/** Resolves when the implementing agent has said something: one that is cut off before has no session to go on with. */
export async function spoken(team: Team, { id }: TeamGoal): Promise<void> {
  const runs = { goal_id: id, stage: 'implement' }
  const look = () =>
    team.ask(async (knex) => hasSpoken(knex, await knex('agent_runs').where(runs).pluck('id')))
  await until(look, { ms: 20_000, what: 'a word of the agent', everyMs: 20 })
}

/** The runs of the goal's implementation; undefined while Postgres is away. */
export const implementRuns = (team: Team, { id }: TeamGoal) =>
  team.ask(
    (knex): Promise<{ session_id: string | null }[]> =>
      knex('agent_runs').where({ goal_id: id, stage: 'implement' }).select('session_id'),
  )

/** What is broken where the implementation of a goal that is over did not go on in its one session. */
export async function begunAnew(team: Team, goal: TeamGoal): Promise<string[]> {
  const sessions = new Set((await implementRuns(team, goal))?.map((run) => run.session_id))
  return sessions.size === 1 ? [] : [`the implementation took ${sessions.size} sessions`]
}

/** The pending review of this kind, when it is there. */
export async function pendingReview(team: Team, { id }: TeamGoal, kind: string): Promise<string> {
  return until(
    async (): Promise<string | undefined> =>
      (
        await team.ask((knex) =>
          knex('reviews').where({ goal_id: id, kind, status: 'pending' }).first('id'),
        )
      )?.id,
    { ms: 60_000, what: `a ${kind} review`, everyMs: 40 },
  )
}

/** Approves one review as a person would; throws when that is refused. */
export async function approve(team: Team, reviewId: string): Promise<void> {
  const { body: review } = await team.insist('GET', `/api/reviews/${reviewId}`)
  const answer = await team.insist('POST', `/api/reviews/${reviewId}/decision`, {
    decision: 'approve',
    hash: review.hash,
    checklist: review.checklist.map((item: { id: string }) => item.id),
  })
  if (answer.status !== 200) throw new Error(`refused: ${JSON.stringify(answer.body)}`)
}

/** What is stored of the goal so far: lines of transcripts and events. It grows with every progress. */
export async function progressOf(team: Team, { id }: TeamGoal): Promise<number | undefined> {
  const answer = await team.ask((knex) =>
    knex.raw(
      `select (select count(*) from events where stream = ?)
            + (select count(*) from agent_runs r join transcripts t on t.run_id = r.id where r.goal_id = ?) as n`,
      [`goal/${id}`, id],
    ),
  )
  return answer && Number(answer.rows[0].n)
}

/** Waits for the end of the goal, then for every invariant. Returns what is broken; none is well. */
export async function brokenAtTheEnd(team: Team, goal: TeamGoal): Promise<string[]> {
  const broken: string[] = []
  try {
    await until(() => isOver(team, goal), {
      ms: COMPLETION_MS,
      what: `the end of ${goal.repository.path.split('/').at(-1)}`,
      everyMs: 100,
    })
    await goal.person?.leave()
    for (const answer of goal.person?.refused ?? [])
      broken.push(`a decision was refused: ${JSON.stringify(answer)}`)
  } catch (error) {
    return [(error as Error).message, JSON.stringify(await describe(team, goal))]
  }
  const { home, database, temporalAddress } = team
  let left: string[] = []
  await until(
    async () => {
      const at = { home, database, temporalAddress, repository: goal.repository, goalId: goal.id }
      left = await brokenInvariants(at)
      return left.length === 0
    },
    { ms: QUIET_MS, what: 'quiet', everyMs: 300 },
  ).catch(() => undefined) // `left` says what is broken
  return [...broken, ...left]
}

async function isOver(team: Team, { id }: TeamGoal): Promise<boolean> {
  const answer = await team.call('GET', `/api/goals/${id}`).catch(() => undefined)
  return answer?.status === 200 && !['active', 'paused'].includes(answer.body.status)
}

async function describe(team: Team, { id }: TeamGoal) {
  return team.ask((knex) =>
    knex('stage_attempts').where({ goal_id: id }).select('stage', 'attempt', 'status', 'reason'),
  )
}

/** Which worker has the activity of the goal's task or of the goal at hand: the pid in its identity, as Temporal knows it. */
export async function workerOf(team: Team, { id }: TeamGoal): Promise<number> {
  const tasks = await team.database.knex('tasks').where({ goal_id: id }).pluck('id')
  return withClient(team, (client) =>
    until(
      async () => {
        for (const workflowId of [...tasks.map(taskWorkflowId), goalWorkflowId(id)]) {
          const { raw } = await client.workflow.getHandle(workflowId).describe()
          for (const activity of raw.pendingActivities ?? []) {
            const pid = Number(activity.lastWorkerIdentity?.split('@')[0])
            if (pid > 0) return pid
          }
        }
        return undefined
      },
      { ms: 20_000, what: 'a worker that has the goal', everyMs: 50 },
    ),
  )
}

/** The builds that worked on the goal's workflows, oldest first, as their histories name them. */
export async function buildsOf(team: Team, { id }: TeamGoal): Promise<string[]> {
  const tasks = await team.database.knex('tasks').where({ goal_id: id }).pluck('id')
  return withClient(team, async (client) => {
    const builds = new Set<string>()
    for (const workflowId of [goalWorkflowId(id), ...tasks.map(taskWorkflowId)]) {
      const { events } = await client.workflow.getHandle(workflowId).fetchHistory()
      for (const event of events ?? []) {
        const done = event.workflowTaskCompletedEventAttributes
        const build = done?.workerVersion?.buildId || done?.binaryChecksum
        if (build) builds.add(build)
      }
    }
    return [...builds]
  })
}

async function withClient<T>(team: Team, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = await connectTemporal({ address: team.temporalAddress })
  try {
    return await work(new Client({ connection }))
  } finally {
    await connection.close()
  }
}

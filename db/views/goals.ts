import type { Knex } from 'knex'
import { formatUtc } from '../../contracts/figures.ts'
import { goalStream, shortId } from '../../contracts/ids.ts'
import type { Goal, GoalSummary, StageState, UsageTotals } from '../../contracts/schemas.ts'
import { OPEN_STATUSES, OVER_STATUSES, STAGES, type Stage } from '../../contracts/stages.ts'
import { askAll } from '../ask-all.ts'
import { delaysOf } from '../delays.ts'
import { lateMessages } from '../outbox.ts'
import { decodeCursor, type Page, type PageQuery, toPage } from '../page.ts'
import { isRefusal, type Refusal } from '../refusal.ts'
import { resolveId } from '../resolve.ts'
import { USED_TOKENS } from '../run-tokens.ts'
import { reviewsOfGoal } from './reviews.ts'
import { latestSpecs } from './specs.ts'
import { tasksOfGoal } from './tasks.ts'
import { USAGE_SUM, usageBy, ZERO_USAGE } from './usage.ts'

interface GoalRow {
  id: string
  number: number
  title: string
  description: string
  project_id: string
  project_name: string
  profile: Goal['profile']
  status: GoalSummary['status']
  paused: boolean
  stage: GoalSummary['stage']
  reason: string | null
  target_branch: string
  base_commit: string | null
  branch: string | null
  merged_commit: string | null
  token_budget: number
  pending_reviews: number
  created_at: string
  updated_at: string
}

const goalRows = (knex: Knex): Knex.QueryBuilder =>
  knex('goals as g')
    .join('projects as p', 'p.id', 'g.project_id')
    .select(
      'g.*',
      { project_name: 'p.name' },
      knex.raw(
        `(select count(*)::int from reviews v where v.goal_id = g.id and v.status = 'pending') as pending_reviews`,
      ),
    )

type Working = GoalSummary['working']

/** Makes summaries of these goals: what their rows do not say is read for all of them at once. */
async function summaryOf(
  knex: Knex,
  ids: readonly string[],
): Promise<(row: GoalRow) => GoalSummary> {
  const [usage, working, late, delays, waiting] = await askAll(knex, [
    () => usageBy(knex, 'goal_id', ids),
    () => workingOn(knex, ids),
    () => untold(knex, ids),
    () => delaysOf(knex, ids),
    () => waitsOf(knex, ids),
  ])
  return (row) => ({
    id: row.id,
    shortId: shortId('goal', row.number),
    title: row.title,
    projectId: row.project_id,
    projectName: row.project_name,
    status: row.status,
    paused: row.paused,
    stage: row.stage,
    // what needs a person is not hidden by what is tried again, or waits, beside it
    reason:
      late.get(row.id) ??
      (row.status === 'active' ? delays.get(row.id) : null) ??
      row.reason ??
      (row.status === 'active' && row.pending_reviews === 0 ? waiting.get(row.id) : null) ??
      null,
    targetBranch: row.target_branch,
    profileName: row.profile.name,
    pendingReviews: row.pending_reviews,
    usage: usage.get(row.id) ?? ZERO_USAGE,
    goalBudget: row.token_budget,
    mergedCommit: row.merged_commit,
    working: working.get(row.id) ?? [],
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  })
}

/** For what goals wait of which no stage is at work: their place in line, say. The others are absent. */
async function waitsOf(knex: Knex, ids: readonly string[]): Promise<Map<string, string>> {
  const rows: { goal_id: string; reason: string }[] = await knex('stage_attempts as a')
    .whereIn('a.goal_id', ids)
    .where('a.status', 'waiting')
    .whereNotNull('a.reason')
    .whereNotExists(
      knex('stage_attempts as o').whereRaw('o.goal_id = a.goal_id').where('o.status', 'running'),
    )
    .orderBy('a.id', 'desc')
    .select('a.goal_id', 'a.reason')
  return new Map(rows.map(({ goal_id, reason }) => [goal_id, reason]))
}

/** Why goals stand still that Temporal has not been told of; the others are absent. */
async function untold(knex: Knex, ids: readonly string[]): Promise<Map<string, string>> {
  const late = await lateMessages(knex).whereIn('g.id', ids)
  // of each goal the oldest message, for which the others wait
  return new Map(
    late
      .toReversed()
      .map(({ goalId, since, error }) => [
        goalId,
        `since ${formatUtc(new Date(since))} Temporal has not taken what it was told of this goal (${error}): it is told again every minute at the latest, and the goal goes on then`,
      ]),
  )
}

/** Goals, newest first. */
export async function listGoals(
  knex: Knex,
  query: PageQuery & {
    status?: string | undefined
    state?: 'open' | 'over' | undefined
    project?: string | undefined
    words?: string | undefined
  },
): Promise<Page<GoalSummary> | Refusal> {
  const after = decodeCursor(query.cursor)
  if (isRefusal(after)) return after
  const project =
    query.project === undefined ? undefined : await resolveId(knex, 'project', query.project)
  if (isRefusal(project)) return project
  const rows: GoalRow[] = await goalRows(knex)
    .modify((q) => {
      if (after) q.where('g.id', '<', after.id)
      if (query.status) q.where('g.status', query.status)
      if (query.state === 'open') q.whereIn('g.status', OPEN_STATUSES)
      if (query.state === 'over') q.whereIn('g.status', OVER_STATUSES)
      if (project) q.where('g.project_id', project.id)
      for (const word of query.words?.split(/\s+/).filter(Boolean) ?? [])
        q.whereRaw(`position(lower(?) in lower('G-' || g.number || ' ' || g.title)) > 0`, [word])
    })
    .orderBy('g.id', 'desc')
    .limit(query.limit + 1)
  const ids = rows.map((row) => row.id)
  return toPage(rows, query.limit, {
    item: await summaryOf(knex, ids),
    position: (row) => ({ rank: 0, id: row.id }),
  })
}

/** One goal as lists show it. The id is one that `resolveId` gave. */
export async function goalSummary(knex: Knex, id: string): Promise<GoalSummary> {
  const row: GoalRow = await goalRows(knex).where('g.id', id).first()
  const toSummary = await summaryOf(knex, [id])
  return toSummary(row)
}

/** The running agents of goals, oldest first; goals without one are absent. */
async function workingOn(knex: Knex, goalIds: readonly string[]): Promise<Map<string, Working>> {
  const rows: { goal_id: string; number: number; run: Working[number] }[] = await knex('agent_runs')
    .whereIn('goal_id', goalIds)
    .where('status', 'running')
    .orderBy('id')
    .select(
      'goal_id',
      'number',
      knex.raw(`jsonb_build_object('runId', id, 'adapter', adapter, 'stage', stage,
        'lastLine', last_line) as run`),
    )
  const byGoal = new Map<string, Working>()
  for (const { goal_id, number, run } of rows) {
    const one = { ...run, runShortId: shortId('run', number) }
    byGoal.set(goal_id, [...(byGoal.get(goal_id) ?? []), one])
  }
  return byGoal
}

/** A goal with everything its page shows. `workflowUrl` makes the link to Temporal's UI, if there is one. */
export async function goalDetail(
  knex: Knex,
  id: string,
  workflowUrl: (goalId: string) => string | null,
): Promise<Goal> {
  const row: GoalRow = await goalRows(knex).where('g.id', id).first()
  const [toSummary, attempts, specs, tasks, reviews, salvaged] = await Promise.all([
    summaryOf(knex, [id]),
    attemptsOf(knex, id),
    latestSpecs(knex, id),
    tasksOfGoal(knex, id),
    reviewsOfGoal(knex, id),
    salvagedOf(knex, id),
  ])
  return {
    ...toSummary(row),
    description: row.description,
    profile: row.profile,
    baseCommit: row.base_commit,
    branch: row.branch,
    workflowUrl: workflowUrl(id),
    stages: toStages(attempts, row.profile),
    spec: specs.spec ?? null,
    testSpec: (specs.test?.content ?? null) as Goal['testSpec'],
    securitySpec: (specs.security?.content ?? null) as Goal['securitySpec'],
    tasks,
    reviews,
    salvaged,
    ...outputsOf(attempts),
  }
}

const salvagedOf = (knex: Knex, goalId: string): Promise<Goal['salvaged']> =>
  knex('events')
    .where({ stream: goalStream(goalId), type: 'goal.salvaged' })
    .groupByRaw("data ->> 'repository', data ->> 'ref'") // told again where a worker was killed meanwhile
    .orderByRaw('min(seq)')
    .select(knex.raw("data ->> 'repository' as repository, data ->> 'ref' as ref"))

interface AttemptRow {
  task_id: string | null
  stage: StageState['stage']
  attempt: number
  status: StageState['status']
  adapter: string | null
  agent_reason: string | null
  reason: string | null
  output: Record<string, unknown> | null
  checks: Goal['verification'][number]['checks'] | null
  until_at: string | null
  started_at: string | null
  ended_at: string | null
  usage: UsageTotals
  worked_ms: number
  working_since: string | null
  /** Of each run that did something, so one may be there twice. */
  worked: string[]
}

async function attemptsOf(knex: Knex, goalId: string): Promise<AttemptRow[]> {
  const { rows } = await knex.raw(
    `select a.*, w.* from stage_attempts a cross join lateral (
        select ${USAGE_SUM} as usage,
          coalesce(sum(extract(epoch from greatest(r.ended_at - r.started_at, '0'::interval)) * 1000), 0)::bigint as worked_ms,
          min(r.started_at) filter (where r.ended_at is null) as working_since,
          coalesce(jsonb_agg(r.adapter order by r.segment)
            filter (where r.opinion = 1 and (r.status in ('running', 'done') or ${USED_TOKENS} > 0)), '[]') as worked
        from agent_runs r
        where r.goal_id = a.goal_id and r.task_id is not distinct from a.task_id
          and r.stage = a.stage and r.attempt = a.attempt) w
      where a.goal_id = ? order by a.id`,
    [goalId],
  )
  return rows
}

/** In reading order; a stage that has not begun is there too, waiting with attempt 0. */
function toStages(attempts: readonly AttemptRow[], profile: Goal['profile']): StageState[] {
  return STAGES.flatMap((stage) => {
    const own = attempts.filter((row) => row.stage === stage)
    if (own.length === 0) return [notBegun(stage, profile)]
    return own.map((row) => ({
      stage,
      taskId: row.task_id,
      attempt: row.attempt,
      status: row.status,
      adapter: row.adapter,
      adapters: agentsOf(row),
      agentReason: row.agent_reason,
      reason: row.reason,
      resumesAt: row.status === 'waiting' ? row.until_at : null,
      startedAt: row.started_at,
      endedAt: row.ended_at,
      workedMs: row.worked_ms,
      workingSince: row.working_since,
      usage: row.usage,
    }))
  })
}

function agentsOf({ worked, adapter }: AttemptRow): string[] {
  if (worked.length > 0) return [...new Set(worked)]
  return adapter === null ? [] : [adapter]
}

const notBegun = (stage: Stage, profile: Goal['profile']): StageState => ({
  stage,
  taskId: null,
  attempt: 0,
  status: 'waiting',
  adapter: null,
  adapters: [],
  agentReason:
    (profile.stages as Partial<Record<Stage, { reason?: string }>>)[stage]?.reason ?? null,
  reason: null,
  resumesAt: null,
  startedAt: null,
  endedAt: null,
  workedMs: 0,
  workingSince: null,
  usage: ZERO_USAGE,
})

/** What the stages answered: shapes are checked where they are stored. */
function outputsOf(attempts: readonly AttemptRow[]) {
  const ofTasks = (stages: readonly string[]) =>
    attempts.flatMap((row) =>
      row.task_id !== null && stages.includes(row.stage) ? [{ ...row, taskId: row.task_id }] : [],
    )
  const verification = ofTasks(['verify'])
    .filter((row) => row.output !== null || row.checks !== null)
    .map((row) => ({
      taskId: row.taskId,
      attempt: row.attempt,
      items: (row.output?.['items'] ?? []) as Goal['verification'][number]['items'],
      checks: row.checks ?? [],
    }))
  const implementation = ofTasks(['implement', 'frontend'])
    .filter((row) => row.output !== null)
    .map((row) => ({
      taskId: row.taskId,
      attempt: row.attempt,
      output: row.output as unknown as Goal['implementation'][number]['output'],
    }))
  const audit = attempts.findLast((row) => row.stage === 'audit' && row.output !== null)
  const findings = (audit?.output?.['findings'] ?? []) as Goal['findings']
  return { verification, implementation, findings }
}

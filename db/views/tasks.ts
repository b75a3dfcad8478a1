import type { Knex } from 'knex'
import { shortId } from '../../contracts/ids.ts'
import type { Task, UsageTotals } from '../../contracts/schemas.ts'
import { decodeCursor, type Page, type PageQuery, toPage } from '../page.ts'
import { isRefusal, type Refusal } from '../refusal.ts'
import { resolveId } from '../resolve.ts'
import { usageBy, ZERO_USAGE } from './usage.ts'

interface TaskRow {
  id: string
  number: number
  goal_id: string
  key: string
  title: string
  description: string
  role: Task['role']
  depends_on: string[]
  status: Task['status']
  idle: Task['idle']
  reason: string | null
  stage: Task['stage']
  adapter: string | null
  agent: Task['agent']
  blast_radius: Task['blastRadius']
  tier: Task['tier']
  branch: string | null
  base: string | null
  head: string | null
  merged_commit: string | null
  token_budget: number
  created_at: string
  updated_at: string
}

function toTask(row: TaskRow, usage: UsageTotals | undefined): Task {
  return {
    id: row.id,
    shortId: shortId('task', row.number),
    goalId: row.goal_id,
    key: row.key,
    title: row.title,
    description: row.description,
    role: row.role,
    dependsOn: row.depends_on,
    status: row.status,
    idle: row.idle,
    reason: row.reason,
    stage: row.stage,
    adapter: row.adapter,
    agent: row.agent,
    blastRadius: row.blast_radius,
    tier: row.tier,
    branch: row.branch,
    base: row.base,
    head: row.head,
    mergedCommit: row.merged_commit,
    usage: usage ?? ZERO_USAGE,
    tokenBudget: row.token_budget,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

/** The attempt of its stage says it; between two stages, the goal does. */
const IDLE = `case when t.status = 'active' then (
  select case when a.status in ('paused', 'waiting') then a.status when g.paused and a.status <> 'running' then 'paused' end
  from stage_attempts a join goals g on g.id = a.goal_id
  where a.goal_id = t.goal_id and a.task_id = t.id and a.stage = t.stage order by a.attempt desc limit 1) end`

const taskRows = (knex: Knex): Knex.QueryBuilder =>
  knex('tasks as t').select('t.*', { idle: knex.raw(IDLE) })

async function withUsage(knex: Knex, rows: readonly TaskRow[]): Promise<Task[]> {
  const usage = await usageBy(
    knex,
    'task_id',
    rows.map((row) => row.id),
  )
  return rows.map((row) => toTask(row, usage.get(row.id)))
}

/** Tasks, newest first. */
export async function listTasks(
  knex: Knex,
  query: PageQuery & { status?: string | undefined; goal?: string | undefined },
): Promise<Page<Task> | Refusal> {
  const after = decodeCursor(query.cursor)
  if (isRefusal(after)) return after
  const goal = query.goal === undefined ? undefined : await resolveId(knex, 'goal', query.goal)
  if (isRefusal(goal)) return goal
  const rows: TaskRow[] = await taskRows(knex)
    .modify((q) => {
      if (after) q.where('id', '<', after.id)
      if (query.status) q.where('status', query.status)
      if (goal) q.where('goal_id', goal.id)
    })
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
  const tasks = await withUsage(knex, rows)
  return toPage(tasks, query.limit, {
    item: (task) => task,
    position: (task) => ({ rank: 0, id: task.id }),
  })
}

/** A goal's tasks in the order the spec named them. */
export async function tasksOfGoal(knex: Knex, goalId: string): Promise<Task[]> {
  return withUsage(knex, await taskRows(knex).where({ goal_id: goalId }).orderBy('number'))
}

export async function taskDetail(knex: Knex, id: string): Promise<Task> {
  const [task] = await withUsage(knex, await taskRows(knex).where({ id }))
  if (!task) throw new Error(`task ${id} was resolved but is not there`)
  return task
}

/** What reading a task's diff needs. Base and head are null until its branch has a commit. */
export async function taskRange(knex: Knex, id: string) {
  const row = await knex('tasks as t')
    .join('goals as g', 'g.id', 't.goal_id')
    .where('t.id', id)
    .first('t.number', 't.base', 't.head', 'g.project_id')
  return {
    number: row.number as number,
    projectId: row.project_id as string,
    base: row.base as string | null,
    head: row.head as string | null,
  }
}

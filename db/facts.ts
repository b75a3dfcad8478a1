import type { Knex } from 'knex'
import type { Network, SandboxKind } from '../contracts/agent.ts'
import type { SecuritySpecOutput, SpecOutput, TestSpecOutput } from '../contracts/outputs.ts'
import type { CheckCommand, ProfileSnapshot, StageAgent } from '../contracts/schemas.ts'
import type { GoalStatus, Stage, TaskStatus } from '../contracts/stages.ts'

export interface GoalRow {
  id: string
  number: number
  project_id: string
  title: string
  description: string
  profile: ProfileSnapshot
  status: GoalStatus
  stage: Stage
  reason: string | null
  paused: boolean
  target_branch: string
  base_commit: string | null
  branch: string | null
  merged_commit: string | null
  token_budget: number
}

export interface ProjectRow {
  id: string
  name: string
  path: string
  trusted: boolean
  checks: CheckCommand[]
  sandbox: SandboxKind
  network: Network
  conventions: string
}

export interface TaskRow {
  id: string
  number: number
  goal_id: string
  key: string
  title: string
  description: string
  role: 'implement' | 'frontend'
  depends_on: string[]
  status: TaskStatus
  reason: string | null
  branch: string | null
  base: string | null
  head: string | null
  merged_commit: string | null
  token_budget: number
  /** Who writes it, where a person said so. */
  agent: StageAgent | null
  /** When that was said, or taken back; null for a choice that came with the task. */
  agent_since: string | null
}

export interface SpecRow<T> {
  id: string
  version: number
  status: string
  content: T
  hash: string
}

/** What activities must know of a goal. */
export interface GoalFacts {
  goal: GoalRow
  project: ProjectRow
  /** Of the profile as it is now: what agents are told is no part of the goal's snapshot. */
  profileConventions: string
  /** What the profile leaves of the project's network, as it is now; of one that is gone, as the goal began. Null: all of it. */
  profileNetwork: Network | null
  task: TaskRow | undefined
  spec: SpecRow<SpecOutput> | undefined
  testSpec: SpecRow<TestSpecOutput> | undefined
  securitySpec: SpecRow<SecuritySpecOutput> | undefined
}

/** Loads the facts; throws when the goal or the task does not exist. */
export async function loadFacts(
  knex: Knex,
  goalId: string,
  taskId?: string | null,
): Promise<GoalFacts> {
  const [goal, task, specs] = await Promise.all([
    knex('goals').where({ id: goalId }).first() as Promise<GoalRow | undefined>,
    taskId ? (knex('tasks').where({ id: taskId }).first() as Promise<TaskRow>) : undefined,
    latestSpecs(knex, goalId),
  ])
  if (!goal) throw new Error(`goal ${goalId} does not exist`)
  if (taskId && !task) throw new Error(`task ${taskId} does not exist`)
  const project: ProjectRow = await knex('projects').where({ id: goal.project_id }).first()
  const profile: { conventions: string; network: Network | null } | undefined = await knex(
    'profiles',
  )
    .where(goal.profile.id ? { id: goal.profile.id } : { name: goal.profile.name ?? '' })
    .first('conventions', 'network')
  return {
    goal,
    project,
    profileConventions: profile?.conventions ?? '',
    profileNetwork: profile ? profile.network : (goal.profile.network ?? null),
    task,
    ...specs,
  }
}

async function latestSpecs(
  knex: Knex,
  goalId: string,
): Promise<Pick<GoalFacts, 'spec' | 'testSpec' | 'securitySpec'>> {
  const rows: (SpecRow<unknown> & { role: string })[] = await knex('specs')
    .distinctOn('role')
    .where({ goal_id: goalId })
    .orderBy([{ column: 'role' }, { column: 'version', order: 'desc' }])
  const of = <T>(role: string) => rows.find((row) => row.role === role) as SpecRow<T> | undefined
  return {
    spec: of<SpecOutput>('spec'),
    testSpec: of<TestSpecOutput>('test'),
    securitySpec: of<SecuritySpecOutput>('security'),
  }
}

/** The newest version of a spec of this role, whatever its status. */
export async function latestSpec<T>(
  knex: Knex,
  goalId: string,
  role: string,
): Promise<SpecRow<T> | undefined> {
  return knex('specs').where({ goal_id: goalId, role }).orderBy('version', 'desc').first()
}

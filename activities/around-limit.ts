import { AUTO } from '../contracts/agent.ts'
import type { StageAgent } from '../contracts/schemas.ts'
import { type AgentStage, WRITING_STAGES } from '../contracts/stages.ts'
import { budgetsOf } from '../db/budgets.ts'
import { coolingAdapters } from '../db/cooldowns.ts'
import type { RunRow } from '../db/runs.ts'
import { readSettings } from '../db/settings.ts'
import { changeStage } from '../db/stages.ts'
import { listAdapters } from '../db/views/agents.ts'
import { type Route, routeAgent } from '../domain/route-agent.ts'
import type { AgentWork } from './agent-work.ts'
import type { ActivityDeps } from './deps.ts'
import { budgetPlace } from './reserve.ts'

/** The agent that the work is for: the one it was given, the task's own where it is written, else the profile's. */
export function assignedAgent({
  agent,
  key,
  facts,
}: Pick<AgentWork, 'agent' | 'key' | 'facts'>): StageAgent {
  const own = WRITING_STAGES.includes(key.stage) ? facts.task?.agent : undefined
  return agent ?? own ?? facts.goal.profile.stages[key.stage as AgentStage]
}

/** When a person last changed whose work it is, in ms; -Infinity where nobody did. */
export function assignedSince({ key, facts }: Pick<AgentWork, 'key' | 'facts'>): number {
  const ofTask = WRITING_STAGES.includes(key.stage) ? facts.task?.agent_since : undefined
  const times = [facts.goal.profile.since, ofTask]
  return Math.max(...times.map((at) => (at ? Date.parse(at) : -Infinity)))
}

/** Why the work is for that agent where Auto Model chose it, or a person did; null where the profile names it. */
export function whyAssigned(
  { key, facts }: Pick<AgentWork, 'key' | 'facts'>,
  agent: StageAgent,
): string | null {
  const ofProfile = facts.goal.profile.stages[key.stage as AgentStage]
  if (agent === ofProfile) return ofProfile.reason ?? null
  return agent === facts.task?.agent ? 'chosen for this task' : null
}

/** Who begins a session of this work: its agent, or where that one is limited or not there the profile's first fallback that is ready. */
export async function firstAgent(deps: ActivityDeps, work: AgentWork): Promise<StageAgent> {
  const route = await routeOf(deps, work)
  if (route.type === 'limited' || work.opinion === 2) return assignedAgent(work)
  await tell(deps, work, route)
  return route.agent
}

/**
 * What to do instead of waiting for a provider: another agent where the profile has one that is ready, `fail` where people do not want
 * to wait, or nothing.
 */
export async function aroundLimit(
  deps: ActivityDeps,
  work: AgentWork,
  last: RunRow,
): Promise<{ type: 'other'; agent: StageAgent } | { type: 'fail' } | { type: 'wait' }> {
  if (last.exit_reason !== 'rate_limit' && last.exit_reason !== 'quota') return { type: 'wait' }
  const route = await routeOf(deps, work)
  if (route.type !== 'limited' && route.agent.adapter !== last.adapter) {
    await tell(deps, work, route)
    return { type: 'other', agent: route.agent }
  }
  const { waitOnLimits } = await readSettings(deps.database.knex)
  return { type: waitOnLimits ? 'wait' : 'fail' }
}

/** A second opinion is of the agent that was asked for it, or it is missing: nobody takes its place. */
async function routeOf({ database: { knex } }: ActivityDeps, work: AgentWork): Promise<Route> {
  const { stages, fallbacks = [] } = work.facts.goal.profile
  const stage = work.key.stage as AgentStage
  const assigned = assignedAgent(work)
  // Auto Model chose the agent, so it may choose another
  const auto = stages[stage].reason !== undefined && assigned === stages[stage]
  const named = [...fallbacks, ...(auto ? [{ adapter: AUTO }] : [])]
  if (work.opinion === 2 || named.length === 0) return { type: 'assigned', agent: assigned }
  const { autoModel } = await readSettings(knex)
  const others = named.filter(({ adapter }) => adapter !== AUTO || autoModel)
  const text = work.facts.goal.description
  const coolingUntil = await coolingAdapters(knex)
  const pausedUntil = await coolingAdapters(knex, 0)
  const budgets = await budgetsOf(knex, budgetPlace(work.key))
  const limits = { coolingUntil, pausedUntil, budgets }
  const wanted = { stage, text, assigned, fallbacks: others, ...limits }
  return routeAgent(wanted, await listAdapters(knex))
}

async function tell(
  { database }: ActivityDeps,
  { key, facts }: AgentWork,
  route: Exclude<Route, { type: 'limited' }>,
): Promise<void> {
  const { adapter } = route.agent
  const reason = route.type === 'instead' ? route.reason : null
  const agentReason = reason ?? whyAssigned({ key, facts }, route.agent)
  await database.change(async (tx, emit) => {
    const change = { status: 'running', adapter, reason, agentReason } as const
    await changeStage(tx, emit, { key, change })
    if (key.taskId) await tx('tasks').where({ id: key.taskId }).update({ adapter })
  })
}

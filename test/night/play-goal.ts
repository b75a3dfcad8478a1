import { AGENT_STAGES } from '../../contracts/stages.ts'
import { startPerson } from '../chaos/person.ts'
import { randomOf } from '../chaos/schedule.ts'
import { brokenInvariants } from '../support/invariants.ts'
import type { OwnStack } from '../support/own-stack.ts'
import { until } from '../support/until.ts'
import { ACTORS, type Actor, CAST } from './cast.ts'

/** One goal of a night: who works on it is chosen by the seed. */
export interface NightGoal {
  index: number
  /** Tells the goal's requests from all others. */
  title: string
  /** Who works on which stage. */
  actors: readonly Actor[]
}

export interface GoalOutcome extends NightGoal {
  /** Why it is lost or not as it must be, in words; none is well. */
  broken: string[]
  /** How often a person had to press Retry. */
  retries: number
  seconds: number
  goalId: string | undefined
}

const GOAL_MS = 1_800_000 // an agent that tells no time of a limit is waited for longer each time: 1.5, 3, 6 minutes and so on
/** The last steps of a goal (worktrees back, workflow closed) come after it was told to be complete. */
const QUIET_MS = 30_000
const MOST_RETRIES = 3

/** The goals of a seed: each agent alone first, then all mixed, stage by stage. */
export function goalsOf(seed: number, count: number): NightGoal[] {
  const random = randomOf(seed)
  return Array.from({ length: count }, (_, index) => {
    const alone = ACTORS[index]
    const actors = AGENT_STAGES.map(
      () => alone ?? (ACTORS[Math.floor(random() * ACTORS.length)] as Actor),
    )
    return { index, title: `Night ${String(index).padStart(3, '0')}`, actors }
  })
}

/** Files the goal as a person would, decides what waits, and checks what came of it. Never throws: what went wrong is in `broken`. */
export async function playGoal(at: OwnStack, goal: NightGoal): Promise<GoalOutcome> {
  const started = Date.now()
  const outcome: GoalOutcome = { ...goal, broken: [], retries: 0, seconds: 0, goalId: undefined }
  try {
    await play(at, outcome)
  } catch (error) {
    outcome.broken.push((error as Error).message)
    if (outcome.goalId) outcome.broken.push(await standing(at, outcome.goalId))
  }
  outcome.seconds = (Date.now() - started) / 1000
  return outcome
}

async function play(at: OwnStack, outcome: GoalOutcome): Promise<void> {
  const { index, title, actors } = outcome
  const repository = at.repository(`repo ${index}`)
  const project = await at.insist('POST', '/api/projects', { path: repository.path })
  const stages = Object.fromEntries(
    AGENT_STAGES.map((stage, place) => [stage, CAST[actors[place] as Actor].agent]),
  )
  const profile = await at.insist('POST', '/api/profiles', { name: title, stages })
  if (profile.status !== 201) throw new Error(`profile refused: ${JSON.stringify(profile.body)}`)
  const filed = await at.insist('POST', '/api/goals', {
    ...{ project: project.body.id, title, profile: title },
    description: `Finish textkit. [demo:tasks=${1 + (index % 2)}]`,
  })
  if (filed.status !== 202) throw new Error(`the goal was refused: ${JSON.stringify(filed.body)}`)
  const goalId: string = filed.body.id
  outcome.goalId = goalId
  const person = startPerson(at, goalId, undefined, GOAL_MS)
  await until(() => isOver(at, goalId, outcome), {
    ...{ ms: GOAL_MS, what: 'the end of the goal', everyMs: 250 },
  })
  await person.leave()
  for (const answer of person.refused)
    outcome.broken.push(`a decision was refused: ${JSON.stringify(answer)}`)
  const { home, database } = at
  const checked = { home, database, temporalAddress: at.stack.temporalAddress, repository, goalId }
  let broken: string[] = []
  await until(
    async () => {
      broken = await brokenInvariants(checked)
      return broken.length === 0
    },
    { ms: QUIET_MS, what: 'quiet', everyMs: 500 },
  ).catch(() => undefined) // `broken` says what is left
  outcome.broken.push(...broken)
}

/** What needs attention gets it, as a person would give it: Retry, a few times at most. */
async function isOver(at: OwnStack, goalId: string, outcome: GoalOutcome): Promise<boolean> {
  const answer = await at.call('GET', `/api/goals/${goalId}`).catch(() => undefined)
  if (answer?.status !== 200) return false
  const { status, reason } = answer.body
  if (status === 'needs_attention' && outcome.retries < MOST_RETRIES) {
    const pressed = await at.call('POST', `/api/goals/${goalId}/retry`, {}).catch(() => undefined)
    if (pressed?.status === 202) outcome.retries += 1
    return false
  }
  if (['cancelled', 'needs_attention'].includes(status))
    throw new Error(`the goal is ${status}: ${reason}`)
  return status === 'completed'
}

async function standing(at: OwnStack, goalId: string): Promise<string> {
  const { rows } = await at.database.knex.raw(
    `select 'A-' || number || ' ' || stage || '#' || attempt || '.' || segment || ' ' || purpose || ' ' || adapter || ' ' || status
       || coalesce(' ' || exit_reason || ': ' || left(exit_detail, 200), '') as line
     from agent_runs where goal_id = ? order by number`,
    [goalId],
  )
  return (rows as { line: string }[]).map(({ line }) => line).join('; ')
}

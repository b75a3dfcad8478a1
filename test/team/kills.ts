import { startPerson } from '../chaos/person.ts'
import { until } from '../support/until.ts'
import {
  brokenAtTheEnd,
  buildsOf,
  fileGoal,
  pendingReview,
  progressOf,
  reached,
  type TeamGoal,
  workerOf,
} from './goals.ts'
import type { Team } from './team.ts'

export interface Outcome {
  /** For the table: what was done. */
  what: string
  /** What people had of it meanwhile. */
  meanwhile: string
  /** From the kill to the first progress of the goal that was hit, everything healthy again. */
  recoveryMs: number
  /** Broken invariants and other surprises, in words; none is well. */
  broken: string[]
}

const RECOVERY_MS = 90_000
/** Long enough that everything is killed while the agent is at work. */
const AT_WORK = '[demo:implement=slow:4]'

/** Kills one of everything, each while agents work on goals that need it, and lets the goals come to their end. */
export async function killOneOfEach(team: Team, say: (line: string) => void): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  for (const [name, strike] of Object.entries(STRIKES)) {
    const goal = await fileGoal(team, `kill ${name}`, { directives: AT_WORK })
    await reached(team, goal, 'implement', 'running')
    const hit = await strike(team, goal)
    const broken = await brokenAtTheEnd(team, goal)
    outcomes.push({ ...hit, broken })
    say(`${hit.what}: ${(hit.recoveryMs / 1000).toFixed(1)} s; ${hit.meanwhile}`)
    for (const line of broken) say(`  BROKEN ${line}`)
  }
  return outcomes
}

type Strike = (team: Team, goal: TeamGoal) => Promise<Omit<Outcome, 'broken'>>

const STRIKES: Record<string, Strike> = {
  worker: async (team, goal) => {
    const pid = await workerOf(team, goal)
    const victim = [...team.containers.values()].find((container) => container.pid === pid)
    if (!victim) throw new Error(`the goal is with process ${pid}, which is no worker of the team`)
    // its stage runs a moment before its run is there
    const before = await until(() => implementRuns(team, goal), { ms: 20_000, what: 'a run' })
    const hit = await recovery(team, goal, () => victim.kill())
    const same = (await implementRuns(team, goal)) === before
    await team.start(victim.name)
    const meanwhile = same
      ? 'the agent worked on; the other worker attached to it'
      : 'another run was started'
    return { what: 'worker (the one with the goal)', meanwhile, ...hit }
  },
  api: async (team, goal) => {
    const victim = await container(team, 'api-1')
    const at = Date.now()
    await victim.kill()
    const answer = await team.call('GET', `/api/goals/${goal.id}`)
    const served = Date.now() - at
    await team.start(victim.name)
    const meanwhile = `the other API answered ${answer.status} after ${served} ms`
    return { what: 'API (one of two)', meanwhile, recoveryMs: Date.now() - at }
  },
  temporal: async (team, goal) => {
    const victim = await container(team, 'temporal')
    const hit = await recovery(team, goal, async () => {
      await victim.kill()
      await team.start('temporal')
    })
    return { what: 'Temporal', meanwhile: 'agents worked on, everything could be read', ...hit }
  },
  postgres: async (team, goal) => {
    let code: unknown
    const hit = await recovery(team, goal, async () => {
      await team.killPostgres()
      code = (await team.call('GET', `/api/goals/${goal.id}`)).body.code
      await team.startPostgres()
    })
    return { what: 'Postgres', meanwhile: `agents worked on; requests got 503 ${code}`, ...hit }
  },
  runners: async (team, goal) => {
    const victim = await container(team, 'runners')
    const run = await liveRun(team, goal)
    const hit = await recovery(team, goal, async () => {
      await victim.kill()
      await team.start('runners')
      await until(async () => (await liveRun(team, goal, 0)) !== run, {
        ms: RECOVERY_MS,
        what: 'another run of the session',
      })
    })
    return {
      what: 'runners (agents with them)',
      meanwhile: 'the session went on in a new run',
      ...hit,
    }
  },
}

async function container(team: Team, name: string) {
  const found = team.containers.get(name)
  if (!found) throw new Error(`${name} does not run`)
  return found
}

/** The goal's run at work; with `ms` 0 also undefined when there is none now. */
async function liveRun(team: Team, { id }: TeamGoal, ms = 10_000): Promise<string | undefined> {
  const look = async (): Promise<string | undefined> =>
    (
      await team.ask((knex) =>
        knex('agent_runs').where({ goal_id: id, status: 'running' }).first('id'),
      )
    )?.id
  return ms === 0 ? look() : until(look, { ms, what: 'a run at work', everyMs: 20 })
}

/** How many runs the goal's implementation has taken so far. The agent may be done by the time that another worker looks. */
const implementRuns = (team: Team, { id }: TeamGoal): Promise<number | undefined> =>
  team.ask(async (knex) => {
    const rows = await knex('agent_runs').where({ goal_id: id, stage: 'implement' }).select('id')
    return rows.length || undefined
  })

/** Does it, and measures until the goal has made progress after it. */
async function recovery(team: Team, goal: TeamGoal, strike: () => Promise<void>) {
  const at = Date.now()
  await strike()
  const before = await until(() => progressOf(team, goal), { ms: RECOVERY_MS, what: 'Postgres' })
  await until(async () => ((await progressOf(team, goal)) ?? 0) > before, {
    ms: RECOVERY_MS,
    what: 'progress after the kill',
  })
  return { recoveryMs: Date.now() - at }
}

/**
 * Replaces both workers by another build, one after the other, while one goal has an agent at work and another one waits
 * for a person. Both must come to their end, with both builds in the history of the one that waited.
 */
export async function rollWorkers(
  team: Team,
  build: string,
  say: (line: string) => void,
): Promise<Outcome> {
  const waiting = await fileGoal(team, 'roll waiting', { person: false })
  const working = await fileGoal(team, 'roll working', { directives: AT_WORK })
  await pendingReview(team, waiting, 'spec')
  await reached(team, working, 'implement', 'running')
  const at = Date.now()
  for (const name of ['worker-1', 'worker-2']) {
    await team.containers.get(name)?.stop()
    await team.start(name, build)
  }
  const took = Date.now() - at
  waiting.person = startPerson(team, waiting.id)
  const broken = [
    ...(await brokenAtTheEnd(team, working)),
    ...(await brokenAtTheEnd(team, waiting)),
  ]
  const builds = await buildsOf(team, waiting)
  if (builds.length !== 2)
    broken.push(
      `the goal that waited was worked on by ${builds.length} builds: ${builds.join(', ')}`,
    )
  const outcome = {
    what: 'both workers replaced by another build',
    meanwhile: 'one goal at work, one waiting; both were merged by the new build',
    recoveryMs: took,
    broken,
  }
  say(`${outcome.what}: ${(took / 1000).toFixed(1)} s; ${outcome.meanwhile}`)
  for (const line of broken) say(`  BROKEN ${line}`)
  return outcome
}

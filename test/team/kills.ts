import { startPerson } from '../chaos/person.ts'
import { until } from '../support/until.ts'
import {
  begunAnew,
  brokenAtTheEnd,
  buildsOf,
  fileGoal,
  implementRuns,
  pendingReview,
  progressOf,
  reached,
  spoken,
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
    await spoken(team, goal)
    const { runs, ...hit } = await strike(team, goal)
    const broken = [...hit.broken, ...(await brokenAtTheEnd(team, goal))]
    const taken = (await implementRuns(team, goal))?.length
    if (taken !== runs) broken.push(`the implementation took ${taken} runs instead of ${runs}`)
    broken.push(...(await begunAnew(team, goal)))
    outcomes.push({ ...hit, broken })
    say(`${hit.what}: ${(hit.recoveryMs / 1000).toFixed(1)} s; ${hit.meanwhile}`)
    for (const line of broken) say(`  BROKEN ${line}`)
  }
  return outcomes
}

/** `runs`: how many the goal's implementation takes then. Only what is killed with its agent makes it more than one. */
type Strike = (team: Team, goal: TeamGoal) => Promise<Outcome & { runs: number }>

const STRIKES: Record<string, Strike> = {
  worker: async (team, goal) => {
    const pid = await workerOf(team, goal)
    const victim = [...team.containers.values()].find((container) => container.pid === pid)
    if (!victim) throw new Error(`the goal is with process ${pid}, which is no worker of the team`)
    const hit = await recovery(team, goal, () => victim.kill())
    await team.start(victim.name)
    const meanwhile = 'the agent worked on; the other worker attached to it'
    return { what: 'worker (the one with the goal)', meanwhile, ...hit, runs: 1, broken: [] }
  },
  api: async (team, goal) => {
    const victim = await container(team, 'api-1')
    const at = Date.now()
    await victim.kill()
    const { status } = await team.call('GET', `/api/goals/${goal.id}`)
    const served = Date.now() - at
    await team.start(victim.name)
    const meanwhile = `the other API answered ${status} after ${served} ms`
    const broken = status === 200 ? [] : [meanwhile]
    return { what: 'API (one of two)', meanwhile, recoveryMs: Date.now() - at, runs: 1, broken }
  },
  temporal: async (team, goal) => {
    const victim = await container(team, 'temporal')
    let status: unknown
    const hit = await recovery(team, goal, async () => {
      await victim.kill()
      status = (await team.call('GET', `/api/goals/${goal.id}`)).status
      await team.start('temporal')
    })
    const broken = status === 200 ? [] : [`the goal could not be read meanwhile: ${status}`]
    const meanwhile = 'agents worked on, everything could be read'
    return { what: 'Temporal', meanwhile, ...hit, runs: 1, broken }
  },
  postgres: async (team, goal) => {
    let got = ''
    const hit = await recovery(team, goal, async () => {
      await team.killPostgres()
      const { status, body } = await team.call('GET', `/api/goals/${goal.id}`)
      got = `${status} ${body.code}`
      await team.startPostgres()
    })
    const broken = got === '503 database_unavailable' ? [] : [`a request got ${got} meanwhile`]
    const meanwhile = `agents worked on; requests got ${got}`
    return { what: 'Postgres', meanwhile, ...hit, runs: 1, broken }
  },
  runners: async (team, goal) => {
    const victim = await container(team, 'runners')
    const hit = await recovery(team, goal, async () => {
      await victim.kill()
      await team.start('runners')
      await until(async () => ((await implementRuns(team, goal))?.length ?? 0) > 1, {
        ms: RECOVERY_MS,
        what: 'another run of the session',
      })
    })
    const meanwhile = 'the session went on in a new run'
    return { what: 'runners (agents with them)', meanwhile, ...hit, runs: 2, broken: [] }
  },
}

async function container(team: Team, name: string) {
  const found = team.containers.get(name)
  if (!found) throw new Error(`${name} does not run`)
  return found
}

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
    meanwhile:
      'one goal at work, one waiting; both were merged, the one that waited by the new build',
    recoveryMs: took,
    broken,
  }
  say(`${outcome.what}: ${(took / 1000).toFixed(1)} s; ${outcome.meanwhile}`)
  for (const line of broken) say(`  BROKEN ${line}`)
  return outcome
}

import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { distDir, packageRoot } from '../../config/home.ts'
import { randomOf } from '../chaos/schedule.ts'
import { type Onlooker, startModelServer } from '../model-server/model-server.ts'
import type { ModelRequest } from '../model-server/step.ts'
import { type OwnStack, startOwnStack } from '../support/own-stack.ts'
import { processesAbout } from '../support/processes.ts'
import { until } from '../support/until.ts'
import { ACTORS, type Actor, prepareCast } from './cast.ts'
import { createFaults, type Faults } from './faults.ts'
import { type Bill, createBill, differences, readLedger } from './ledger.ts'
import { type GoalOutcome, goalsOf, type NightGoal, playGoal } from './play-goal.ts'

export interface NightOptions {
  seed: number
  goals: number
  /** Goals at a time. */
  lanes: number
  say(line: string): void
}

export interface Night {
  outcomes: GoalOutcome[]
  /** Faults that a goal met, by its title. */
  faults: Faults
  bill: Bill
  workersKilled: number
  seconds: number
  /** What was there after everything was stopped; none is well. */
  left: string[]
}

/** Silence that the watchdog takes for a dead provider. Real ones are given minutes. */
const SILENCE_SECONDS = 20
/** A worker that is up lives so long, in seconds: longer than it takes to find out that the one before is dead. */
const [SHORTEST_LIFE, LONGEST_LIFE] = [40, 90]

/** Plays all goals of the seed on one stack and compares its ledger with what the model served. */
export async function playNight({ seed, goals, lanes, say }: NightOptions): Promise<Night> {
  const started = Date.now()
  const faults = createFaults(seed)
  const bill = createBill()
  const model = await startModelServer({ onlooker: onlookerOf(faults, bill), keeps: false })
  const cast = await prepareCast((actor) => model.url('pipeline', actor), say)
  const dist = copyOfDist()
  const at = await startOwnStack({ dist, env: cast.env, configToml: cast.configToml })
  const end = endOnce(async (keep) => {
    await at.close({ keep })
    await model.close()
    cast.remove()
    if (!keep) rmSync(dist, { recursive: true, force: true })
  })
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void end(false).finally(() => process.exit(130)))
  const outcomes: GoalOutcome[] = []
  await at.insist('PATCH', '/api/settings', {
    agentSilenceSeconds: SILENCE_SECONDS,
    maxConcurrent: lanes + 1,
  })
  const death = killWorkers(at, { seed, say })
  const queue = goalsOf(seed, goals)
  const lane = async () => {
    for (let goal = queue.shift(); goal; goal = queue.shift()) {
      const outcome = await playGoal(at, goal)
      outcome.broken.push(...(await unpaid(at, bill, goal)))
      outcomes.push(outcome)
      tell(outcome, faults, say)
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  const workersKilled = await death.stop()
  const isBroken = outcomes.some(({ broken }) => broken.length > 0)
  if (isBroken) say(`kept: ${at.folder}`)
  await end(isBroken)
  outcomes.sort((a, b) => a.index - b.index)
  const seconds = (Date.now() - started) / 1000
  return { outcomes, faults, bill, workersKilled, seconds, left: processesAbout(at.folder) }
}

/** One build for the whole night, whatever is built meanwhile. Inside the package, where its packages are found. */
function copyOfDist(): string {
  const copy = join(packageRoot(), '.dispatch', 'night', `dist-${process.pid}`)
  cpSync(distDir(), copy, { recursive: true })
  return copy
}

function endOnce(end: (keep: boolean) => Promise<void>): (keep: boolean) => Promise<void> {
  let ended: Promise<void> | undefined
  return (keep) => {
    ended ??= end(keep)
    return ended
  }
}

/** Runs of the model server are called by their agents; the goal stands in the prompt. */
function onlookerOf(faults: Faults, bill: Bill): Onlooker {
  return {
    fault: (request) => faults.strike(goalOf(request)),
    charged: (request, usage) => bill.charge(goalOf(request), request.run as Actor, usage),
    begun: (request, usage) => bill.begin(goalOf(request), request.run as Actor, usage),
  }
}

function goalOf({ said }: ModelRequest): string {
  for (const { text } of said) {
    const title = /<goal_title>\s*(Night \d+)/.exec(text)?.[1]
    if (title) return title
  }
  return 'no goal'
}

/** Kills the worker again and again until `stop`, which answers how often that was. */
function killWorkers(at: OwnStack, { seed, say }: Pick<NightOptions, 'seed' | 'say'>) {
  const random = randomOf(seed + 1)
  const over = new AbortController()
  let killed = 0
  const work = async () => {
    const isUp = () => over.signal.aborted || at.stack.processes()['worker']?.status === 'running'
    while (!over.signal.aborted) {
      // on a slow machine a worker would otherwise be killed before it did anything
      await until(isUp, { ms: 120_000, what: 'the worker to come back', everyMs: 200 })
      const life = SHORTEST_LIFE + random() * (LONGEST_LIFE - SHORTEST_LIFE)
      await delay(life * 1000, undefined, { signal: over.signal }).catch(() => undefined) // the night is over
      const worker = at.stack.processes()['worker']
      if (over.signal.aborted || worker?.status !== 'running') continue
      at.stack.kill('worker', 'SIGKILL')
      killed += 1
      say(`worker ${worker.pid} killed`)
    }
  }
  const working = work()
  return {
    async stop() {
      over.abort()
      await working
      return killed
    },
  }
}

async function unpaid(at: OwnStack, bill: Bill, { title }: NightGoal): Promise<string[]> {
  return differences(bill, await readLedger(at), { goal: title, actors: ACTORS })
}

function tell(
  { index, actors, broken, retries, seconds, title }: GoalOutcome,
  faults: Faults,
  say: (line: string) => void,
): void {
  const met = faults.of(title).join(', ') || 'none'
  const who = [...new Set(actors)].join(', ')
  say(
    `${broken.length === 0 ? 'done  ' : 'BROKEN'} ${index}: ${who}; faults: ${met}; ${retries} times Retry; ${seconds.toFixed(0)} s`,
  )
  for (const line of broken) say(`    ${line}`)
}

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { killProcesses, type TaggedProcess, taggedProcesses } from '../../adapters/process-tree.ts'
import { processEnv } from '../../config/config.ts'
import { gone } from '../../config/process-table.ts'
import { readRunnerFile } from '../../runner/run-files.ts'
import type { OwnStack } from '../support/own-stack.ts'
import { until } from '../support/until.ts'
import { isService, type Schedule, type Service } from './schedule.ts'

const run = promisify(execFile)

export interface Strike {
  at: number
  /** What was hit, with pids. */
  hit: string[]
  /** Lets the held services come back. */
  release(): void
}

/** Kills the schedule's victims by SIGKILL, as nearly at once as can be. Held services stay down until `release`. */
export async function strike(at: OwnStack, goalId: string, schedule: Schedule): Promise<Strike> {
  const processes = await runProcesses(at, goalId, schedule)
  const services = schedule.victims.filter(isService)
  const releases =
    schedule.comeback === 'at_once' ? [] : services.map((name) => at.stack.hold(name))
  const hit: string[] = []
  const pids: number[] = []
  for (const name of services) {
    const state = at.stack.processes()[name]
    if (state?.status !== 'running') continue
    at.stack.kill(name, 'SIGKILL')
    hit.push(`${name} ${state.pid}`)
    pids.push(state.pid)
  }
  for (const { kind, found } of processes)
    if (killProcesses([found]).killed.size > 0) hit.push(`${kind} ${found.pid}`)
  for (const pid of pids) await gone(pid, 5_000)
  return { at: Date.now(), hit, release: () => void releases.map((release) => release()) }
}

/** The runner and the agent of the goal's run at work, as far as they are victims. Waits until they live. */
async function runProcesses(at: OwnStack, goalId: string, { victims, stage }: Schedule) {
  const kinds = victims.filter((victim) => !isService(victim))
  if (kinds.length === 0) return []
  return until(
    async () => {
      const row = await at.ask((knex) =>
        knex('agent_runs').where({ goal_id: goalId, stage, status: 'running' }).first('id'),
      )
      if (!row) return undefined
      const runner = await readRunnerFile(join(at.home.runs, row.id))
      const own = taggedProcesses().filter((found) => found.runId === row.id)
      const agent = own.find((found) => found.parent === runner?.pid)
      if (!runner || !agent) return undefined
      return kinds.map((kind) => ({
        kind,
        found: kind === 'agent' ? agent : hostOf(runner, agent),
      }))
    },
    { ms: 30_000, what: `a live agent in ${stage}`, everyMs: 20 },
  )
}

const hostOf = (runner: { pid: number; startTime: string }, agent: TaggedProcess) => ({
  ...agent,
  pid: runner.pid,
  startTime: runner.startTime,
})

/** While a service is down, what people see must say so. Resolves with how long that took, in ms; throws when it does not. */
export async function namedState(
  at: OwnStack,
  goalId: string,
  service: Service,
  ms = 15_000,
): Promise<number> {
  const start = Date.now()
  await until(() => SAYS_SO[service](at, goalId), {
    ms,
    what: `a state that tells of the missing ${service}`,
    everyMs: 100,
  })
  return Date.now() - start
}

const SAYS_SO: Record<Service, (at: OwnStack, goalId: string) => Promise<boolean>> = {
  worker: async (at, goalId) => (await missing(at, 'worker')) && (await readable(at, goalId)),
  temporal: async (at, goalId) => (await missing(at, 'temporal')) && (await readable(at, goalId)),
  postgres: async (at, goalId) => {
    const goal = await at.call('GET', `/api/goals/${goalId}`)
    return (
      (await missing(at, 'postgres')) && goal.status === 503 && typeof goal.body.advice === 'string'
    )
  },
  async api({ home, dist }) {
    const env = { PATH: processEnv()['PATH'], HOME: home.root, DISPATCH_HOME: home.root }
    const said = await run(process.execPath, [join(dist, 'cli.js'), 'status'], { env }).then(
      () => '',
      (error: { stderr: string }) => error.stderr,
    )
    return /is restarting|does not answer|not run|cannot reach|no answer|nothing answers/i.test(
      said,
    )
  },
}

async function missing(at: OwnStack, what: 'worker' | 'temporal' | 'postgres'): Promise<boolean> {
  const { status, body } = await at.call('GET', '/ready')
  return status === 200 && body.status === 'degraded' && body[what] === false
}

const readable = async (at: OwnStack, goalId: string) =>
  (await at.call('GET', `/api/goals/${goalId}`)).status === 200

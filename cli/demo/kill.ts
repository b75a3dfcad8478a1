import type { HomePaths } from '../../config/home.ts'
import { readLogs } from '../../config/log.ts'
import type { AgentRun, Goal } from '../../contracts/schemas.ts'
import type { Deps } from '../command.ts'
import { type DemoServer, type Runner, runnerOf } from './demo-server.ts'
import type { Display } from './display.ts'
import { patiently } from './follow-goal.ts'

interface Witness {
  run: AgentRun
  runner: Runner | undefined
}

export interface Killer {
  /** Kills worker and Temporal, once, when agents are at work on the implementation. */
  onGoal(goal: Goal): Promise<void>
  /** What became of the runs that were going on then; empty when nothing was killed. */
  survivors(): Promise<string[]>
}

/** The demo's `--kill`. */
export function createKiller(options: {
  home: HomePaths
  server: DemoServer
  deps: Deps
  display: Display
}): Killer {
  const { home, server, deps, display } = options
  let killedAt = 0
  let witnesses: Witness[] = []
  let recovered: Promise<number> | undefined

  async function onGoal(goal: Goal) {
    if (killedAt > 0 || goal.stage !== 'implement') return
    const [first] = await runsAtWork(goal.id, deps)
    if (!first) return
    await firstWord(first.id, deps)
    const atWork = await runsAtWork(goal.id, deps)
    await Promise.all(atWork.map(({ id }) => firstWord(id, deps)))
    witnesses = atWork.map((run) => ({ run, runner: runnerOf(home, run.id) }))
    const { worker, temporal } = server.processes()
    if (!worker || !temporal) throw new Error('worker or Temporal does not run')
    killedAt = Date.now()
    const agents = witnesses.map(({ run, runner }) => `${run.shortId} (pid ${runner?.pid ?? '?'})`)
    display.print([
      '',
      `--kill: SIGKILL for the worker (pid ${worker.pid}) and Temporal (pid ${temporal.pid}),`,
      `while the agent is at work in ${agents.join(' and ')}. Nobody tells the agents.`,
    ])
    recovered = untilWorkerRuns()
    process.kill(worker.pid, 'SIGKILL')
    process.kill(temporal.pid, 'SIGKILL')
  }

  /** Milliseconds from the kill until the supervisor says that both run again. */
  async function untilWorkerRuns(): Promise<number> {
    const started = performance.now()
    const missing = new Set(['worker', 'temporal'])
    const options = { dir: home.logs, service: 'supervisor', follow: true, signal: deps.signal }
    for await (const line of readLogs(options)) {
      const { msg = '', time = '' } = JSON.parse(line) as { msg?: string; time?: string }
      if (Date.parse(time) < killedAt) continue
      display.note([`  supervisor: ${msg}`])
      const again = /^(\w+) runs again/.exec(msg)?.[1]
      if (again) missing.delete(again)
      if (missing.size === 0) break
    }
    return performance.now() - started
  }

  async function survivors() {
    if (!recovered) return []
    const seconds = ((await recovered) / 1000).toFixed(1)
    const lines = [`worker and Temporal, killed in the middle: they ran again after ${seconds} s`]
    for (const { run, runner } of witnesses) {
      const { items } = await deps.call('listAgents', { query: { goal: run.goalId, limit: 200 } })
      const starts = items.filter((other) => isSameWork(other, run))
      const now = items.find(({ id }) => id === run.id)
      const sameProcess = runnerOf(home, run.id)?.pid === runner?.pid
      const facts = [
        now?.status ?? 'gone',
        sameProcess ? `in its old process ${runner?.pid}` : 'in another process',
        starts.length === 1 ? 'started once' : `started ${starts.length} times`,
        `transcript ${(await isGapless(run.id, deps)) ? 'without a gap' : 'WITH A GAP'}`,
      ]
      lines.push(`agent run ${run.shortId}: ${facts.join(', ')}`)
    }
    return lines
  }

  return { onGoal, survivors }
}

async function runsAtWork(goal: string, deps: Deps): Promise<AgentRun[]> {
  const query = { goal, status: 'running' } as const
  const { items } = await patiently(() => deps.call('listAgents', { query }), deps.signal)
  return items.filter(({ stage }) => stage === 'implement')
}

/** Waits until the agent of a run has said something: then it is at work. */
async function firstWord(run: string, deps: Deps): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([deps.signal, stop.signal])
  for await (const _ of deps.subscribe(`run/${run}`, { after: 0, signal })) break
  stop.abort()
}

const isSameWork = (a: AgentRun, b: AgentRun) =>
  a.stage === b.stage && a.taskId === b.taskId && a.attempt === b.attempt

async function isGapless(id: string, deps: Deps): Promise<boolean> {
  let after = 0
  for (;;) {
    const page = await deps.call('getTranscript', { params: { id }, query: { after } })
    for (const { seq } of page.items) {
      if (seq !== after + 1) return false
      after = seq
    }
    if (page.next === null) return after > 0
  }
}

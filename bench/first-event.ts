import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { sampleFiles } from '../adapters/demo/sample.ts'
import { distDir } from '../config/home.ts'
import { type BenchStack, startBenchStack } from './lib/bench-stack.ts'
import { benchEnv } from './lib/env.ts'
import { startFloorWorker } from './lib/floor-worker.ts'
import { type LiveClient, openLive } from './lib/live-client.ts'
import { roundRobin } from './lib/round-robin.ts'
import { type Bench, compared, type Row } from './lib/row.ts'
import { median, timed } from './lib/stats.ts'
import { within } from './lib/within.ts'

/** From the click to the first thing that the agent says, seen by a client: stored first, with the real runner. */
export const firstEvent: Bench = {
  name: 'first-event',
  async run({ quick }) {
    const stack = await startBenchStack()
    const floor = await startFloorWorker(stack.stack.temporalAddress)
    const live = await openLive(stack.stack.url)
    try {
      const repo = makeSample(join(stack.folder, 'repo'))
      const project = await stack.call<{ id: string }>('POST', '/api/projects', { path: repo })
      const toProcess: number[] = []
      const figures = await roundRobin({
        rounds: quick ? 7 : 21,
        async subject() {
          const seen = await firstSeen(stack, live, project.id)
          toProcess.push(seen.process)
          return seen.event
        },
        // startGoal and runStage are the two activities before an agent can speak
        floor: async () => (await floor.roundTrips(2)) + (await bareAgent(stack.folder)),
      })
      return [
        compared('first-event', 'POST a goal to the first agent event on /ws', figures, {
          floor: 'bare spawn of the agent to its first line + 2 empty activities',
          ...{ aim: '<= 75 ms, stored first', met: figures.subject <= 75 },
          peers: '91 ms to 3.7 s',
        }),
        agentProcess(toProcess.slice(1)),
      ]
    } finally {
      live.close()
      await floor.close()
      await stack.close()
    }
  },
}

function agentProcess(samples: readonly number[]): Row {
  const value = median(samples)
  return {
    ...{ id: 'first-event.run', what: 'POST a goal to its agent run announced on /ws', unit: 'ms' },
    ...{ value, aim: '<= 60 ms', met: value <= 60, peers: '56 to 434 ms' },
  }
}

/** Milliseconds from the POST until a client saw that the run began, and until it saw the run's first event. */
async function firstSeen(
  stack: BenchStack,
  live: LiveClient,
  project: string,
): Promise<{ process: number; event: number }> {
  const feed = await stack.database.knex('streams').where({ name: 'feed' }).first('seq')
  let runAt = 0
  let runStream = ''
  let waitsForReview: () => void
  const parked = new Promise<void>((resolve) => {
    waitsForReview = resolve
  })
  let isCancelled: () => void
  const cancelled = new Promise<void>((resolve) => {
    isCancelled = resolve
  })
  const spoken = new Promise<number>((resolve, reject) => {
    live
      .subscribe('feed', feed.seq, (item) => {
        if (item['type'] === 'review.pending') waitsForReview()
        if (item['type'] === 'goal.status' && statusIn(item) === 'cancelled') isCancelled()
        if (item['type'] !== 'run.status' || runStream) return
        runAt = performance.now()
        runStream = `run/${(item['data'] as { runId: string }).runId}`
        live.subscribe(runStream, 0, () => resolve(performance.now())).catch(reject)
      })
      .catch(reject)
  })
  const started = performance.now()
  const goal = await stack.call<{ id: string }>('POST', '/api/goals', {
    ...{ project, description: 'Finish textkit [demo:instant]', profile: 'Demo' },
  })
  const event = (await within(30_000, 'the first event of an agent', spoken)) - started
  await within(30_000, 'the review of the spec', parked)
  live.unsubscribe(runStream)
  await stack.call('POST', `/api/goals/${goal.id}/cancel`, { reason: 'measured' })
  // the next round must not pay for the end of this one
  await within(20_000, 'the end of the goal', cancelled)
  live.unsubscribe('feed')
  return { process: runAt - started, event }
}

const statusIn = (item: Record<string, unknown>) => (item['data'] as { status: string }).status

/** The same agent with nothing around it, to the first line it prints. */
function bareAgent(folder: string): Promise<number> {
  const args = [join(distDir(), 'demo-agent.cjs'), '--home', join(folder, 'agent')]
  return timed(async () => {
    const child = spawn(process.execPath, [...args, '--session-id', randomUUID()], {
      env: benchEnv(),
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    child.stdin.end(`${JSON.stringify({ type: 'prompt', text: 'hello', structured: false })}\n`)
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve())
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`the agent exited with ${code}`)))
    })
    child.kill('SIGKILL')
  })
}

function makeSample(repo: string): string {
  for (const [file, content] of Object.entries(sampleFiles())) {
    mkdirSync(dirname(join(repo, file)), { recursive: true })
    writeFileSync(join(repo, file), content)
  }
  const identity = ['-c', 'user.name=Bench', '-c', 'user.email=bench@localhost']
  for (const args of [
    ['init', '-q', '-b', 'main'],
    ['add', '-A'],
    ['commit', '-qm', 'start'],
  ])
    execFileSync('git', [...identity, ...args], { cwd: repo, env: benchEnv() })
  return repo
}

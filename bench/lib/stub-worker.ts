import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { NativeConnection, Runtime, Worker } from '@temporalio/worker'
import { createActivities } from '../../activities/create-activities.ts'
import type { RunStageInput, StageResult } from '../../activities/types.ts'
import { processConfig } from '../../config/config.ts'
import { diskSpace } from '../../config/disk.ts'
import type { SpecOutput } from '../../contracts/outputs.ts'
import { connect, type Database, migrate } from '../../db/connect.ts'
import { contentHash } from '../../db/content-hash.ts'
import { taskQueueOf } from '../../db/machine.ts'
import { announceWorker } from '../../db/presence.ts'
import { openStage } from '../../db/stages.ts'
import { createGit } from '../../git/git.ts'
import { ActivityEdge } from '../../worker/interceptor.ts'
import { WORKER_TUNING } from '../../worker/tuning.ts'

/**
 * The worker as it is, but for its agents: they are done at once, and write only what later stages need of them (a spec,
 * a task's commit). Reports each activity as a datagram, so that measuring costs the subject next to nothing.
 */

export interface ActivityReport {
  name: string
  goalId: string
  /** Stage of an agent's activity. */
  stage: string | null
  /** Of the machine's monotonic clock, in nanoseconds, as text. */
  startedNs: string
  ms: number
}

/** The work that every task of these goals "does": a commit that is on a branch of the project's repository. */
const { BENCH_REPORT_PORT = '', BENCH_REPO = '', BENCH_BASE = '', BENCH_HEAD = '' } = process.env
const quiet = async () => undefined
const UNTOLD = { log: () => undefined, noteDelay: quiet, endDelay: quiet }
/** A goal with this title stops in the stage after its spec review. */
const STOPS = /^parked/

async function main(): Promise<void> {
  const config = processConfig()
  const { databaseUrl, temporal } = config
  if (!databaseUrl || !temporal.address) throw new Error('started by the benchmarks only')
  await migrate(databaseUrl)
  const database = connect(databaseUrl, { max: 20 })
  Runtime.install({
    telemetryOptions: { logging: { filter: { core: 'ERROR', other: 'ERROR' }, forward: {} } },
  })
  const git = createGit({
    ...{ home: config.home.root, path: config.path },
    host: fileURLToPath(new URL('../git-host.cjs', import.meta.url)),
  })
  const real = createActivities({
    ...{ database, git, environment: {}, home: config.home.root, log: () => undefined },
    disk: () => diskSpace(config.home.root),
    // no agent is ever started
    runner: {} as never,
    prompts: {} as never,
  })
  const activities = reported({
    ...real,
    runStage: (input: RunStageInput) =>
      instantStage(database, join(config.home.root, 'hubs'), input),
  })
  const worker = await Worker.create({
    connection: await NativeConnection.connect({ address: temporal.address }),
    namespace: temporal.namespace,
    taskQueue: temporal.taskQueue ?? (await taskQueueOf(database.knex)),
    workflowBundle: { codePath: fileURLToPath(new URL('../workflow-bundle.js', import.meta.url)) },
    activities,
    interceptors: { activity: [() => ({ inbound: new ActivityEdge(UNTOLD) })] },
    ...WORKER_TUNING,
  })
  const stop = () => {
    if (worker.getState() === 'RUNNING') worker.shutdown()
  }
  for (const signal of ['SIGTERM', 'disconnect'] as const) process.once(signal, stop)
  const running = worker.run()
  const presence = announceWorker(databaseUrl, config.home.root, () => undefined)
  process.send?.({ type: 'ready' })
  await running
  await presence.close()
  await database.close()
}

async function instantStage(
  database: Database,
  hubs: string,
  { goalId, taskId, stage, attempt }: RunStageInput,
): Promise<StageResult> {
  if (stage === 'spec') await insertSpec(database, goalId, attempt)
  else if (stage === 'implement') await commitTask(database, hubs, { goalId, taskId })
  else if (stage === 'verify') await passEverything(database, { goalId, taskId, attempt })
  else if (stage === 'test_spec' || stage === 'security_spec') {
    const goal = await database.knex('goals').where({ id: goalId }).first('title')
    if (STOPS.test(goal.title)) return { outcome: 'failed', reason: 'the benchmark stops here' }
  }
  return { outcome: 'passed', frontend: false }
}

/** Every item of the spec is judged, so that the review of a note is the policy's. */
async function passEverything(
  database: Database,
  task: Pick<RunStageInput, 'goalId' | 'taskId' | 'attempt'>,
): Promise<void> {
  const items = ['REQ-1', 'AC-1'].map((ref) => ({ ref, result: 'pass', evidence: 'It is there.' }))
  await database.knex.transaction(async (tx) => {
    const { id } = await openStage(tx, { ...task, stage: 'verify' }, null)
    await tx('stage_attempts')
      .where({ id })
      .update({ output: JSON.stringify({ items }) })
  })
}

async function insertSpec(database: Database, goalId: string, attempt: number): Promise<void> {
  const content: SpecOutput = {
    title: 'A note',
    summary: 'One note is added.',
    requirements: [{ id: 'REQ-1', text: 'There is a note.' }],
    acceptance: [{ id: 'AC-1', text: 'The note can be read.' }],
    tasks: [
      {
        ...{ key: 'note', title: 'Add the note', description: 'Add it.' },
        ...{ role: 'implement' as const, dependsOn: [] },
      },
    ],
  }
  const key = { goalId, taskId: null, stage: 'spec', attempt } as const
  await database.knex.transaction(async (tx) => {
    await openStage(tx, key, null)
    await tx('specs')
      .insert({
        ...{ goal_id: goalId, role: 'spec', version: 1, status: 'draft', created_by: 'agent:stub' },
        ...{ content: JSON.stringify(content), hash: contentHash(content) },
      })
      .onConflict(['goal_id', 'role', 'version'])
      .ignore()
  })
}

const fetched = new Map<string, Promise<unknown>>()

async function commitTask(
  database: Database,
  hubs: string,
  { goalId, taskId }: { goalId: string; taskId: string | null },
): Promise<void> {
  const goal = await database.knex('goals').where({ id: goalId }).first('project_id')
  const hub = join(hubs, goal.project_id, 'clean.git')
  const known = fetched.get(hub) ?? promisify(execFile)('git', fetchArgs(hub))
  fetched.set(hub, known)
  await known
  await database.knex('tasks').where({ id: taskId }).update({ base: BENCH_BASE, head: BENCH_HEAD })
}

const fetchArgs = (hub: string) => [
  ...['--git-dir', hub, 'fetch', '-q', '--no-tags', BENCH_REPO],
  `${BENCH_HEAD}:refs/dispatch/bench`,
]

type Named = Record<string, (input: never) => Promise<unknown>>

/** Each activity with its report, sent before it starts for agents (the moment that counts) and after it for the others. */
function reported<T extends Named>(activities: T): T {
  const socket = createSocket('udp4')
  socket.unref()
  const tell = (report: ActivityReport) =>
    socket.send(JSON.stringify(report), Number(BENCH_REPORT_PORT), '127.0.0.1')
  const around =
    (name: string, work: (input: never) => Promise<unknown>) => async (input: never) => {
      const { goalId = '', stage = null } = input as { goalId?: string; stage?: string }
      const startedNs = String(process.hrtime.bigint())
      const started = performance.now()
      if (name === 'runStage') tell({ name, goalId, stage, startedNs, ms: 0 })
      const result = await work(input)
      const ms = performance.now() - started
      if (name !== 'runStage') tell({ name, goalId, stage: null, startedNs, ms })
      return result
    }
  return Object.fromEntries(
    Object.entries(activities).map(([name, work]) => [name, around(name, work)]),
  ) as T
}

main().then(
  () => process.exit(0),
  (error: Error) => {
    process.stderr.write(`${error.stack ?? error.message}\n`)
    process.exit(1)
  },
)

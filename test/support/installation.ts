import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client, Connection } from '@temporalio/client'
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js'
import { inject } from 'vitest'
import { sampleFiles } from '../../adapters/demo/sample.ts'
import type { Body, Reply } from '../../contracts/api.ts'
import { goalStream, goalWorkflowId, SYSTEM_STREAM, taskWorkflowId } from '../../contracts/ids.ts'
import { connect, type Database } from '../../db/connect.ts'
import { EVENTS_CHANNEL } from '../../db/events.ts'
import { listen } from '../../db/listen.ts'
import { createTestDatabase } from './database.ts'
import { makeRepository } from './repository.ts'
import { testPort } from './test-port.ts'

/** A real worker and API of the built program, on a database, a home and a task queue of their own. */
export interface Installation {
  url: string
  home: string
  database: Database
  /** Calls the HTTP API as a client would; `status` and the parsed body. */
  call<T = unknown>(
    method: string,
    path: string,
    body?: unknown,
  ): Promise<{ status: number; body: T }>
  /** A repository with the sample program, or with `files`, and its project. */
  project(files?: Record<string, string>): Promise<{ repo: string; id: string }>
  goal(
    projectId: string,
    description: string,
    more?: Partial<Body<'createGoal'>>,
  ): Promise<Reply<'createGoal'>>
  /** Waits until the goal is as `ready` says; events wake it, no clock. Throws with the goal's state after 240 s. */
  until(goalId: string, ready: (goal: Reply<'getGoal'>) => boolean): Promise<Reply<'getGoal'>>
  /** Decides the goal's oldest pending review of this kind as a person would, once it is there. */
  decide(
    goalId: string,
    kind: string,
    decision?: Partial<Body<'decideReview'>>,
  ): Promise<Reply<'decideReview'>>
  /** Approves whatever waits until the goal is over; returns it. */
  approveAll(goalId: string): Promise<Reply<'getGoal'>>
  worker: ChildProcess
  /** Starts a worker again; `more` goes into its environment. */
  restartWorker(more?: Record<string, string>): Promise<void>
  close(): Promise<void>
}

const WAIT_MS = 240_000
const SAMPLE_TESTS = 'test/textkit.test.js'
/** As its package.json has it, which would be found too: but npm takes five times as long to start as what it starts. */
const SAMPLE_CHECK = { name: 'test', command: `node ${SAMPLE_TESTS}` }
/** Events come in bundles, and a look at a goal costs as much as what it looks at: one look for each bundle. */
const BUNDLE_MS = 150
/** What moves a goal besides its own events, its place in line say; every goal of a file would ask each time. */
const OTHERS_MS = 500

/**
 * `folder`: where its home and repositories are made, instead of the temp folder. `env` goes into the environment, `config` is the
 * home's config.toml.
 */
export async function startInstallation({
  folder = tmpdir(),
  env: more = {},
  config,
}: {
  folder?: string
  env?: Record<string, string>
  config?: string
} = {}): Promise<Installation> {
  const home = mkdtempSync(join(folder, 'dispatch-journey-'))
  if (config !== undefined) {
    mkdirSync(join(home, 'dispatch'))
    writeFileSync(join(home, 'dispatch', 'config.toml'), config, { mode: 0o600 })
  }
  const testDatabase = await createTestDatabase()
  const database = connect(testDatabase.url, { max: 3 })
  // a copy of the template has the queue that was drawn for that one
  await database
    .knex('settings')
    .where({ key: 'machine.task_queue' })
    .update({ value: JSON.stringify(`core-${randomUUID()}`) })
  const events = await wakeOnEvents(testDatabase.url)
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    DISPATCH_HOME: join(home, 'dispatch'),
    DATABASE_URL: testDatabase.url,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    DISPATCH_PORT: String(await testPort()),
    DISPATCH_LOG_LEVEL: 'info',
    DISPATCH_WORKER_METRICS_PORT: '0',
    ...more,
  }
  let worker = await startProgram('worker.js', env)
  const api = await startProgram('api.js', env)
  const url = `http://127.0.0.1:${api.port}`

  const call: Installation['call'] = async (method, path, body) => {
    const response = await fetch(url + path, {
      method,
      headers: { 'content-type': 'application/json', 'x-dispatch': '1' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: (await response.json()) as never }
  }

  const getGoal = async (goalId: string) =>
    (await call<Reply<'getGoal'>>('GET', `/api/goals/${goalId}`)).body

  const until: Installation['until'] = async (goalId, ready) => {
    const late = new Promise<'late'>((resolve) => setTimeout(resolve, WAIT_MS, 'late').unref())
    for (;;) {
      const own = events.next(goalStream(goalId)).then(() => delay(BUNDLE_MS))
      const others = events.next(SYSTEM_STREAM).then(() => delay(OTHERS_MS))
      const goal = await getGoal(goalId)
      if (ready(goal)) return goal
      if ((await Promise.race([own, others, late])) === 'late')
        throw new Error(`goal did not get there: ${describe(goal)}`)
    }
  }

  const decide: Installation['decide'] = async (goalId, kind, decision = {}) => {
    const pending = (goal: Reply<'getGoal'>) =>
      goal.reviews.find((r) => r.status === 'pending' && r.kind === kind)
    const goal = await until(goalId, (g) => pending(g) !== undefined)
    const review = (await call<Reply<'getReview'>>('GET', `/api/reviews/${pending(goal)?.id}`)).body
    const body = {
      decision: 'approve',
      hash: review.hash,
      checklist: review.checklist.map((item) => item.id),
      ...decision,
    }
    const answer = await call<Reply<'decideReview'>>(
      'POST',
      `/api/reviews/${review.id}/decision`,
      body,
    )
    if (answer.status !== 200) throw new Error(`decision refused: ${JSON.stringify(answer.body)}`)
    return answer.body
  }

  return {
    url,
    home,
    database,
    call,
    until,
    decide,
    async project(files = sampleFiles()) {
      const repo = makeRepository(mkdtempSync(join(home, 'repo ')), files)
      const { body, status } = await call<Reply<'createProject'>>('POST', '/api/projects', {
        path: repo,
        ...(SAMPLE_TESTS in files ? { checks: [SAMPLE_CHECK] } : {}),
      })
      if (status !== 201) throw new Error(`project refused: ${JSON.stringify(body)}`)
      return { repo, id: body.id }
    },
    async goal(projectId, description, more = {}) {
      const body = { project: projectId, description, profile: 'Demo', ...more }
      const answer = await call<Reply<'createGoal'>>('POST', '/api/goals', body)
      if (answer.status !== 202) throw new Error(`goal refused: ${JSON.stringify(answer.body)}`)
      return answer.body
    },
    async approveAll(goalId) {
      for (;;) {
        const goal = await until(
          goalId,
          (g) => isOver(g) || g.reviews.some((r) => r.status === 'pending'),
        )
        if (isOver(goal)) return goal
        for (const review of goal.reviews.filter((r) => r.status === 'pending'))
          await decide(goalId, review.kind)
      }
    },
    get worker() {
      return worker.child
    },
    async restartWorker(more = {}) {
      worker = await startProgram('worker.js', { ...env, ...more })
    },
    async close() {
      await keepHistories(database)
      await endProgram(worker.child)
      await endProgram(api.child)
      await events.close()
      await database.close()
      await testDatabase.drop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** With `DISPATCH_HISTORIES` set, the histories of this installation's workflows are stored there for the replay test. */
async function keepHistories(database: Database): Promise<void> {
  const folder = process.env['DISPATCH_HISTORIES']
  if (!folder) return
  mkdirSync(folder, { recursive: true })
  const connection = await Connection.connect({ address: inject('temporalAddress') })
  const client = new Client({ connection })
  const goals: { id: string; title: string }[] = await database.knex('goals').select('id', 'title')
  const tasks: { id: string; title: string }[] = await database.knex('tasks').select('id', 'title')
  const named = [
    ...goals.map((g) => ({ ...g, workflowId: goalWorkflowId(g.id) })),
    ...tasks.map((t) => ({ ...t, workflowId: taskWorkflowId(t.id) })),
  ]
  const taken = new Set<string>()
  for (const { title, workflowId } of named) {
    const kind = workflowId.split('/')[0]
    const words = title
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 60)
    const name = `${kind}-${words}.json`
    if (taken.has(name)) continue
    taken.add(name)
    const history = await client.workflow.getHandle(workflowId).fetchHistory()
    writeFileSync(
      join(folder, name),
      `${JSON.stringify(JSON.parse(historyToJSON(history), withoutMachine))}\n`,
    )
  }
  await connection.close()
}

/** Stack traces and process ids tell of the machine and not of the workflow. */
function withoutMachine(key: string, value: unknown): unknown {
  if (key === 'stackTrace') return ''
  return key === 'identity' ? 'worker' : value
}

export const isOver = (goal: { status: string }) => !['active', 'paused'].includes(goal.status)

function describe(goal: Reply<'getGoal'>): string {
  const stages = goal.stages
    .filter((s) => s.attempt > 0)
    .map((s) => `${s.stage}#${s.attempt} ${s.status} ${s.reason ?? ''}`)
  return `${goal.status} ${goal.reason ?? ''}; ${stages.join(', ')}`
}

/** Wakes who waits for one of their streams when something is added to it; nothing is polled. */
async function wakeOnEvents(url: string) {
  const waiting = new Set<{ stream: string; wake: () => void }>()
  const wakeAll = (isMeant: (stream: string) => boolean) => {
    for (const one of waiting) {
      if (!isMeant(one.stream)) continue
      waiting.delete(one)
      one.wake()
    }
  }
  let connected: () => void = () => undefined
  const ready = new Promise<void>((resolve) => {
    connected = resolve
  })
  const listener = listen({
    url,
    channels: [EVENTS_CHANNEL],
    onNotify: (_channel, stream) => wakeAll((one) => one === stream),
    onConnected: () => connected(),
    onError: () => wakeAll(() => true), // what was told meanwhile is lost
  })
  await ready
  return {
    next: (stream: string) =>
      new Promise<void>((wake) => {
        waiting.add({ stream, wake })
      }),
    close: () => listener.close(),
  }
}

/** Runs git in a repository of the test's, as its person would. */
export function git(repo: string, ...args: string[]): string {
  return execFileSync('git', ['-C', repo, ...args], { encoding: 'utf8' }).trim()
}

async function startProgram(
  file: string,
  env: Record<string, string | undefined>,
): Promise<{ child: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [join(inject('dist'), file)], {
    env: env as NodeJS.ProcessEnv,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let last = ''
  child.stderr?.on('data', (chunk) => {
    last = (last + chunk).slice(-4000)
  })
  return new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${file} ended with ${code}: ${last}`)))
    child.once('message', (message: { port?: number }) =>
      resolve({ child, port: message.port ?? 0 }),
    )
  })
}

async function endProgram(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

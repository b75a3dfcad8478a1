import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { descendantsOf, taggedProcesses } from '../adapters/process-tree.ts'
import type { RunSpec } from '../contracts/agent.ts'
import { buildForTests } from './build-for-tests.ts'
import { createRunner, type RunnerClient } from './runner.ts'
import { NoSpawnerService } from './service-spawner.ts'

let built: Awaited<ReturnType<typeof buildForTests>>
let home: string
let client: RunnerClient
let service: ChildProcess | undefined

beforeAll(async () => {
  built = await buildForTests()
})
afterAll(() => built.remove())
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'dispatch-service-'))
  mkdirSync(join(home, 'work'))
  client = createRunner({ home, entry: built, spawnerService: true })
})
afterEach(async () => {
  await client.sweep(() => false)
  await client.close()
  service?.kill('SIGKILL')
  rmSync(home, { recursive: true, force: true })
})

async function startService(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [built.spawnerService, home, built.runner], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {},
  })
  await new Promise((resolve) => child.once('message', resolve))
  return child
}

/** The health check of docker-compose.yml, of this home: its exit code, undefined while it waits. */
async function health(): Promise<number | undefined> {
  const compose = readFileSync(join(import.meta.dirname, '..', 'docker-compose.yml'), 'utf8')
  const [, text = ''] = /^ +- (".*spawner\.sock.*")$/m.exec(compose) ?? []
  const script = (JSON.parse(text) as string).replace('/var/lib/dispatch', home)
  const check = spawn(process.execPath, ['-e', script], { stdio: 'ignore', timeout: 3000 })
  return new Promise((resolve) => check.once('exit', (code) => resolve(code ?? undefined)))
}

test('its health check tells one that hangs from one that works', async () => {
  expect(await health()).toBe(1)
  service = await startService()
  expect(await health()).toBe(0)
  service.kill('SIGSTOP')
  expect(await health()).toBeUndefined()
})

const ended = (child: ChildProcess) => new Promise((resolve) => child.once('exit', resolve))

function spec(directives: string): RunSpec {
  const runId = randomUUID()
  return {
    runId,
    adapter: 'demo',
    binary: built.demoAgent,
    cwd: join(home, 'work'),
    prompt: `<stage>implement</stage><attempt>1</attempt><goal_title>A goal</goal_title><goal>Do it. ${directives}</goal>`,
    access: 'write',
    newSessionId: randomUUID(),
    outputSchema: {},
    env: {
      PATH: '/usr/local/bin:/usr/bin:/bin',
      HOME: home,
      DEMO_HOME: join(home, 'demo'),
      TMPDIR: client.tmpdir(runId),
    },
    silenceSeconds: 60,
    leaseSeconds: 60,
  }
}

async function lastOf(runId: string) {
  let last: unknown
  for await (const batch of client.attach(runId, { afterSeq: 0 })) last = batch.at(-1)
  return last
}

test('a run belongs to the service: the agent is started by it, not by the client', async () => {
  service = await startService()
  const run = spec('[demo:implement=slow:1]')
  expect(await client.start(run)).toBe('started')
  // a container takes along what its own process started: the agent must be one of the service's
  const agents = () => taggedProcesses().filter(({ runId }) => runId === run.runId)
  await expect.poll(agents).not.toEqual([])
  const started = agents().map(({ pid }) => pid)
  const inService = descendantsOf(service.pid ?? -1).map(({ pid }) => pid)
  expect(inService).toEqual(expect.arrayContaining(started))
  expect(await lastOf(run.runId)).toMatchObject({ type: 'done' })
})

test('a killed service is started again on the same home; its runs went on meanwhile', async () => {
  const first = await startService()
  const run = spec('[demo:implement=slow:1]')
  await client.start(run)
  first.kill('SIGKILL')
  await ended(first)
  await expect(client.start(spec('[demo:implement=instant]'))).rejects.toThrow(NoSpawnerService)
  service = await startService()
  const next = spec('[demo:implement=instant]')
  expect(await client.start(next)).toBe('started')
  expect(await lastOf(next.runId)).toMatchObject({ type: 'done' })
  expect(await lastOf(run.runId)).toMatchObject({ type: 'done' })
})

test('two services on one home: the second ends with 75', async () => {
  service = await startService()
  const second = spawn(process.execPath, [built.spawnerService, home, built.runner])
  expect(await ended(second)).toBe(75)
  expect(await client.start(spec('[demo:implement=instant]'))).toBe('started')
})

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { readServerFile } from '../../cli/supervisor/server-file.ts'
import { processEnv } from '../../config/config.ts'
import { homePaths } from '../../config/home.ts'
import { commandLine, gone } from '../../config/process-table.ts'
import { connect } from '../../db/connect.ts'
import { brokenInvariants } from '../support/invariants.ts'
import { makeSampleRepository, request, startOwnStack } from '../support/own-stack.ts'
import { processesAbout } from '../support/processes.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { testPort } from '../support/test-port.ts'
import { until } from '../support/until.ts'
import { runSchedule } from './run-schedule.ts'
import type { Schedule } from './schedule.ts'

/** Called by vitest in reverse order when the test is over, however it went. */
type Undo = (step: () => void | Promise<void>) => void

const common = { moment: 'running', comeback: 'at_once', downMs: 4_000, tasks: 'one' } as const

/** All on one stack at once, so that each goal lives through the kills of the others too. */
const SCHEDULES: Omit<Schedule, 'index'>[] = [
  { ...common, stage: 'spec', victims: ['postgres'], delayMs: 400, agent: 'talkative' },
  { ...common, stage: 'implement', victims: ['worker'], delayMs: 900, agent: 'silent' },
  { ...common, stage: 'implement', victims: ['runner'], delayMs: 300, agent: 'talkative' },
  { ...common, stage: 'verify', victims: ['agent'], delayMs: 500, agent: 'silent' },
  { ...common, stage: 'review', moment: 'deciding', victims: ['api'], delayMs: 5, agent: 'silent' },
  {
    ...common,
    stage: 'audit',
    victims: ['temporal'],
    delayMs: 700,
    agent: 'talkative',
    comeback: 'late',
  },
]

test.concurrent('goals that run together live through the death of every kind of process: nothing lost, twice or left', async ({
  onTestFinished,
}) => {
  const at = await startOwnStack()
  let open = true
  const close = async () => {
    if (open) await at.close()
    open = false
  }
  onTestFinished(close)
  await at.insist('PATCH', '/api/settings', { maxConcurrent: 12 })
  const outcomes = await Promise.all(
    SCHEDULES.map((schedule, index) => runSchedule(at, { ...schedule, index })),
  )
  for (const { schedule, broken, hit } of outcomes) {
    const name = `${schedule.victims} in ${schedule.stage}`
    expect(broken, name).toEqual([])
    expect(hit.length, name).toBe(schedule.victims.length)
  }
  const restarts = Object.values(at.stack.processes()).map((state) => state.restarts)
  expect(restarts).toEqual([1, 1, 1, 1])
  const metrics = await fetch(readServerFile(at.home.serverFile)?.workerMetrics ?? '')
  expect(await metrics.text()).toContain('temporal_') // of the second worker, on whatever port it has
  await close()
  await allGone(at.folder)
}, 300_000)

test.concurrent('everything is killed while a review waits; started again, the review is there and approving it works', async ({
  onTestFinished,
}) => {
  const folder = temporaryFolder('dispatch-dead-')
  onTestFinished(folder.remove)
  const home = homePaths(join(folder.path, 'home'))
  const repository = makeSampleRepository(join(folder.path, 'repo'))
  const port = await testPort()
  const start = () => startProgram(home.root, port, onTestFinished)
  const first = await start()
  const call = (method: string, path: string, body?: unknown) =>
    request((readServerFile(home.serverFile)?.url ?? '') + path, { method, body })
  const project = await call('POST', '/api/projects', { path: repository.path })
  const description = 'Finish textkit [demo:all=instant] [demo:tasks=1]'
  const filed = await call('POST', '/api/goals', {
    project: project.body.id,
    description,
    profile: 'Demo',
  })
  const goalId: string = filed.body.id
  const pending = () =>
    until(
      async () => (await call('GET', `/api/reviews?status=pending&goal=${goalId}`)).body.items[0],
      { ms: 60_000, what: 'a review' },
    )
  const before = await pending()

  const pids = [
    ...Object.values(readServerFile(home.serverFile)?.processes ?? {}).map(({ pid }) => pid),
    first.pid,
  ]
  expect(pids).toHaveLength(5)
  for (const pid of pids) process.kill(pid as number, 'SIGKILL')
  for (const pid of pids) expect(await gone(pid as number, 10_000)).toBe(true)

  const second = await start()
  expect(await pending()).toEqual(before)
  const server = readServerFile(home.serverFile)
  await approveUntilOver(call, goalId)
  const database = connect(databaseUrlOf(home.postgres), { max: 2 })
  onTestFinished(() => database.close())
  const temporalAddress = server?.temporalAddress ?? ''
  let broken: string[] = []
  await until(
    async () => {
      broken = await brokenInvariants({ home, database, temporalAddress, repository, goalId })
      return broken.length === 0
    },
    { ms: 20_000, what: 'quiet', everyMs: 300 },
  ).catch(() => undefined) // told by the next line
  expect(broken).toEqual([])
  await database.close()
  second.kill('SIGTERM')
  await once(second, 'exit')
  await allGone(folder.path)
}, 300_000)

const allGone = (folder: string) =>
  until(() => processesAbout(folder).length === 0, { ms: 10_000, what: 'every process to end' })

/** `dispatch start` of the built program; resolves when it has said that it is ready. */
async function startProgram(home: string, port: number, undo: Undo): Promise<ChildProcess> {
  const { PATH, HOME, XDG_CACHE_HOME } = processEnv()
  const env = { PATH, HOME, ...(XDG_CACHE_HOME ? { XDG_CACHE_HOME } : {}), DISPATCH_HOME: home }
  const args = [
    join(inject('dist'), 'cli.js'),
    'start',
    '--no-ui',
    '--port',
    String(port),
    '--temporal-port',
    String(port + 200),
  ]
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  undo(() => endProgram(child))
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data) => {
      said += data
    })
  await until(
    () => {
      if (child.exitCode !== null)
        throw new Error(`dispatch start ended with ${child.exitCode}: ${said}`)
      return said.includes('Ctrl-C stops it')
    },
    { ms: 90_000, what: 'dispatch start' },
  )
  return child
}

/** The stack's Postgres has a password of its own; where its socket is stands in line 5 of its pid file. */
function databaseUrlOf(folder: string): string {
  const password = readFileSync(join(folder, 'password'), 'utf8').trim()
  const socket = readFileSync(join(folder, 'data', 'postmaster.pid'), 'utf8').split('\n')[4] ?? ''
  return `postgresql://dispatch:${password}@localhost/dispatch?host=${encodeURIComponent(socket)}`
}

async function endProgram(child: ChildProcess): Promise<void> {
  if (
    child.exitCode !== null ||
    child.signalCode !== null ||
    commandLine(child.pid ?? 0) === undefined
  )
    return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

async function approveUntilOver(
  // biome-ignore lint/suspicious/noExplicitAny: tests look into any reply
  call: (method: string, path: string, body?: unknown) => Promise<{ status: number; body: any }>,
  goalId: string,
): Promise<void> {
  await until(
    async () => {
      const goal = await call('GET', `/api/goals/${goalId}`)
      for (const { id } of goal.body.reviews.filter(
        (r: { status: string }) => r.status === 'pending',
      )) {
        const { body: review } = await call('GET', `/api/reviews/${id}`)
        const checklist = review.checklist.map((item: { id: string }) => item.id)
        await call('POST', `/api/reviews/${id}/decision`, {
          decision: 'approve',
          hash: review.hash,
          checklist,
        })
      }
      return goal.body.status !== 'active'
    },
    { ms: 90_000, what: 'the end of the goal', everyMs: 100 },
  )
}

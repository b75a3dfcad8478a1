import { execFileSync, fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest'
import { descendantsOf, listProcesses, taggedProcesses } from '../adapters/process-tree.ts'
import type { RunEvent, RunSpec } from '../contracts/agent.ts'
import { atThisPace } from '../test/support/pace.ts'
import { until } from '../test/support/until.ts'
import { buildForTests } from './build-for-tests.ts'
import { createLocalTransport } from './local-transport.ts'
import { createRunner, type RunnerClient, RunnerLost, RunnerSilent } from './runner.ts'

let built: Awaited<ReturnType<typeof buildForTests>>
let home: string
let runner: RunnerClient
const open: RunnerClient[] = []

beforeAll(async () => {
  built = await buildForTests()
})
afterAll(() => built.remove())
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'dispatch-runner-'))
  mkdirSync(join(home, 'work'))
  runner = newClient()
})
afterEach(async () => {
  await runner.sweep(() => false)
  for (const client of open.splice(0)) await client.close()
  rmSync(home, { recursive: true, force: true })
})

function newClient(): RunnerClient {
  const client = createRunner({ home, entry: built })
  open.push(client)
  return client
}

function spec(directives: string, more: Partial<RunSpec> = {}): RunSpec {
  const runId = more.runId ?? randomUUID()
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
      TMPDIR: runner.tmpdir(runId),
    },
    silenceSeconds: 60,
    leaseSeconds: 60,
    ...more,
  }
}

async function readAll(client: RunnerClient, runId: string, afterSeq = 0): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const batch of client.attach(runId, { afterSeq })) events.push(...batch)
  return events
}

async function readUntil(runId: string, wanted: (event: RunEvent) => boolean): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const batch of runner.attach(runId, { afterSeq: 0 })) {
    events.push(...batch)
    if (batch.some(wanted)) return events
  }
  throw new Error('the run ended before that event')
}

const isText = (event: RunEvent) => event.type === 'text'
const runDir = (runId: string) => join(home, 'runs', runId)
const leftOf = (runId: string) => taggedProcesses().filter((found) => found.runId === runId)
const runnerPid = (runId: string): number =>
  JSON.parse(readFileSync(join(runDir(runId), 'runner.json'), 'utf8')).pid
const transcript = (events: RunEvent[]) =>
  events.map((event) => (event.type === 'text' ? event.text : '')).join('')

test('a run goes from start to done, and its files say the same as its stream', async () => {
  const run = spec('[demo:implement=instant]')
  expect(await runner.start(run)).toBe('started')
  const events = await readAll(runner, run.runId)

  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1))
  expect(events[0]).toMatchObject({ type: 'session', sessionId: run.newSessionId })
  expect(events.at(-1)).toMatchObject({ type: 'done', output: { files: ['notes/a-goal.md'] } })
  expect(await runner.exit(run.runId)).toMatchObject({
    lastSeq: events.length,
    terminal: { type: 'done' },
  })
  expect(await runner.state(run.runId)).toBe('exited')
  expect(await readAll(runner, run.runId)).toEqual(events)
  expect(readFileSync(join(home, 'work/notes/a-goal.md'), 'utf8')).toContain('# A goal')
  expect(statSync(runDir(run.runId)).mode & 0o777).toBe(0o700)
  expect(statSync(join(runDir(run.runId), 'events.ndjson')).mode & 0o777).toBe(0o600)
})

test('many concurrent starts of one run make one process', async () => {
  const run = spec('[demo:implement=slow:30]')
  const other = newClient()
  const answers = await Promise.all(
    [runner, other, runner, other].map((client) => client.start(run)),
  )
  expect(answers.filter((answer) => answer === 'started')).toHaveLength(1)
  await readUntil(run.runId, isText)
  expect(leftOf(run.runId)).toHaveLength(1)
  expect(await runner.start(run)).toBe('already')
})

test('a reader that went away gets exactly the rest', async () => {
  const run = spec('[demo:implement=slow:1]')
  await runner.start(run)
  const first = await readUntil(run.runId, isText)
  // One that comes late gets from the live runner what it missed.
  const again = await readUntil(run.runId, isText)
  expect(again.slice(0, first.length)).toEqual(first)
  const whileRunning = await readAll(runner, run.runId, first.length)
  expect([...first, ...whileRunning]).toEqual(await readAll(newClient(), run.runId))
  expect(await readAll(runner, run.runId, first.length + whileRunning.length)).toEqual([])
})

test('a run outlives the client and the spawner that started it', async () => {
  const run = spec('[demo:implement=slow:1]')
  const starter = createRunner({ home, entry: built })
  await starter.start(run)
  await starter.close()
  expect(await runner.state(run.runId)).toBe('running')
  expect((await readAll(runner, run.runId)).at(-1)).toMatchObject({ type: 'done' })
})

test('a runner killed in the middle is lost; its agent is reaped, and the session goes on in another run', async () => {
  // The agent itself may die of its closed pipe; its child would live on.
  const run = spec('[demo:implement=leave-child,slow:2]')
  await runner.start(run)
  const seen: RunEvent[] = []
  const reading = (async () => {
    for await (const batch of runner.attach(run.runId, { afterSeq: 0 })) {
      seen.push(...batch)
      if (batch.some((event) => event.type === 'usage' && event.usage.output > 40))
        process.kill(runnerPid(run.runId), 'SIGKILL')
    }
  })()
  await expect(reading).rejects.toBeInstanceOf(RunnerLost)
  expect(await runner.state(run.runId)).toBe('lost')
  expect(leftOf(run.runId).length).toBeGreaterThan(0)
  expect(await runner.reap(run.runId)).toBeGreaterThan(0)
  expect(leftOf(run.runId)).toEqual([])
  expect(existsSync(runner.tmpdir(run.runId))).toBe(false)
  const session = seen.find((event) => event.type === 'session')
  const next = spec('', { prompt: 'Go on.', resumeSessionId: session?.sessionId ?? '' })
  await runner.start(next)
  const events = await readAll(runner, next.runId)
  expect(events[0]).toMatchObject({ type: 'session', sessionId: run.newSessionId })
  expect(transcript(events)).toContain('Going on after')
  expect(events.at(-1)).toMatchObject({ type: 'done' })
})

test('an agent ends with its runner also where nobody is there to reap it, and though it minds no closed pipe', async () => {
  const agent = join(home, 'agent.mjs')
  const says = JSON.stringify({ type: 'init', session_id: 's', model: 'stub', starts: 1 })
  await writeFile(agent, `console.log('${says}'); setInterval(() => {}, 1000)`)
  const run = spec('', { binary: agent })
  await runner.start(run)
  await readUntil(run.runId, ({ type }) => type === 'session')
  process.kill(runnerPid(run.runId), 'SIGKILL')
  await until(() => leftOf(run.runId).length === 0, { ms: 10_000, what: 'the end of the agent' })
})

test('an interrupt ends a run within two seconds, even when the agent ignores signals', async () => {
  const run = spec('[demo:implement=ignore-signals,slow:60]')
  await runner.start(run)
  await readUntil(run.runId, isText)
  const asked = performance.now()
  expect(await runner.send(run.runId, { type: 'interrupt' })).toBe('sent')
  const events = await readAll(runner, run.runId)
  expect(performance.now() - asked).toBeLessThan(atThisPace(2000))
  expect(events.at(-1)).toMatchObject({ type: 'failed', reason: 'interrupted' })
  expect(leftOf(run.runId)).toEqual([])
  expect(await runner.send(run.runId, { type: 'interrupt' })).toBe('gone')
})

test('a correction is followed once, however often it is sent', async () => {
  const run = spec('[demo:implement=slow:2]')
  await runner.start(run)
  await readUntil(run.runId, isText)
  const correction = { type: 'correct', id: 'c-1', text: 'use tabs' } as const
  await runner.send(run.runId, correction)
  await runner.send(run.runId, correction)
  const events = await readAll(runner, run.runId)
  const states = events.flatMap((event) => (event.type === 'correction' ? [event.state] : []))
  expect(states).toEqual(['queued', 'delivered', 'applied'])
  expect(events.at(-1)).toMatchObject({ output: { deviations: [expect.stringContaining('tabs')] } })
})

test('nobody renews: the dead-man switch ends the whole tree', async () => {
  const run = spec('[demo:implement=leave-child,slow:60]', { leaseSeconds: 1 })
  await runner.start(run)
  const events = await readAll(runner, run.runId)
  expect(events.at(-1)).toMatchObject({
    type: 'failed',
    reason: 'interrupted',
    detail: expect.stringContaining('1 s'),
  })
  expect(leftOf(run.runId)).toEqual([])
})

test('a run that used what its budgets set aside for it is ended where nobody sets aside more, renewed or not, and says so', async () => {
  const ended = {
    type: 'failed',
    reason: 'interrupted',
    detail: expect.stringMatching(/^It used \d+ tokens, 10 were set aside for it/),
  }
  const run = spec('[demo:implement=slow:60]', { leaseSeconds: 2, tokensReserved: 10 })
  await runner.start(run)
  const events = await readAll(runner, run.runId)
  expect(events.at(-1)).toMatchObject(ended)
  const renewed = spec('[demo:implement=slow:60]', { leaseSeconds: 2, tokensReserved: 10 })
  await runner.start(renewed)
  const same = { afterSeq: 0, renewEveryMs: 100, tokensReserved: () => 10 }
  const said: RunEvent[] = []
  for await (const batch of runner.attach(renewed.runId, same)) said.push(...batch)
  expect(said.at(-1)).toMatchObject(ended)
  const others = spec('[demo:implement=slow:3]', { leaseSeconds: 2, tokensReserved: 10 })
  await runner.start(others)
  const more = { afterSeq: 0, renewEveryMs: 100, tokensReserved: () => 1_000_000 }
  const last: RunEvent[] = []
  for await (const batch of runner.attach(others.runId, more)) last.push(...batch)
  expect(last.at(-1)).toMatchObject({ type: 'done' })
})

test('a renewed run outlives its lease', async () => {
  const run = spec('[demo:implement=slow:3]', { leaseSeconds: 2 })
  await runner.start(run)
  const events: RunEvent[] = []
  for await (const batch of runner.attach(run.runId, { afterSeq: 0, renewEveryMs: 100 }))
    events.push(...batch)
  expect(events.at(-1)).toMatchObject({ type: 'done' })
})

/** Only these timers wait for the test: processes and sockets have real ones. */
function holdTimers() {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  onTestFinished(() => void vi.useRealTimers())
}
const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000)

test('a runner that hangs gives up no command for good: it takes it when it goes on in time, and else whoever sent it is told', async () => {
  const run = spec('[demo:implement=slow:60]')
  await runner.start(run)
  process.kill(runnerPid(run.runId), 'SIGSTOP')
  holdTimers()
  const sent = async () => {
    const answer = runner.send(run.runId, { type: 'renew' }).catch((error) => error)
    await until(() => vi.getTimerCount() > 0, { ms: 10_000, what: 'the command', everyMs: 5 })
    await seconds(9)
    return { answer }
  }
  const first = await sent()
  process.kill(runnerPid(run.runId), 'SIGCONT')
  expect(await first.answer).toBe('sent')

  process.kill(runnerPid(run.runId), 'SIGSTOP')
  const second = await sent()
  await seconds(2)
  expect(await second.answer).toBeInstanceOf(RunnerSilent)
})

test('a run whose folder is deleted while it works tells its answer to whoever follows it; for whoever comes later it is lost, and nothing of it is left', async () => {
  const run = spec('[demo:implement=slow:3]')
  await runner.start(run)
  const answer = readAll(runner, run.runId)
  await readUntil(run.runId, isText)
  rmSync(runDir(run.runId), { recursive: true })
  expect((await answer).at(-1)).toMatchObject({ type: 'done' })

  const other = spec('[demo:implement=slow:60]')
  await runner.start(other)
  const { length } = await readUntil(other.runId, isText)
  rmSync(runDir(other.runId), { recursive: true })
  const late = readAll(newClient(), other.runId, length)
  await expect(late).rejects.toThrow('its folder was deleted')
  await expect(late).rejects.toBeInstanceOf(RunnerLost)
  await runner.reap(other.runId)
  expect(leftOf(other.runId)).toEqual([])
})

test('a run whose runner hangs is lost for whoever follows it, with all that it told, and nothing of it goes on', async () => {
  const run = spec('[demo:implement=slow:60]')
  await runner.start(run)
  const events: RunEvent[] = []
  holdTimers()
  const following = (async () => {
    for await (const batch of runner.attach(run.runId, { afterSeq: 0, renewEveryMs: 30_000 })) {
      if (events.length === 0) process.kill(runnerPid(run.runId), 'SIGSTOP')
      events.push(...batch)
    }
  })().catch((error) => error)
  await until(() => events.length > 0, { ms: 10_000, what: 'its first words', everyMs: 5 })
  let over = false
  void following.then(() => {
    over = true
  })
  let passed = 0
  const pass = async () => {
    await seconds(1)
    passed += 1
    return over
  }
  await until(pass, { ms: 20_000, what: 'its end', everyMs: 5 })
  expect(passed).toBeGreaterThan(60)
  expect(await following).toMatchObject({
    name: 'RunnerLost',
    why: 'the process that ran the agent did not answer any more',
  })
  expect(await runner.reap(run.runId)).toBeGreaterThan(0) // its agent may end by itself when the runner does
  expect(leftOf(run.runId)).toEqual([])
  expect(await readAll(runner, run.runId).catch((error) => error)).toBeInstanceOf(RunnerLost)
  const file = readFileSync(join(runDir(run.runId), 'events.ndjson'), 'utf8')
  expect(events.map(({ seq }) => seq)).toEqual(
    file
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).seq),
  )
})

test('an agent without a sign of life ends as hung', async () => {
  const run = spec('[demo:implement=hang]', { silenceSeconds: 1 })
  await runner.start(run)
  expect((await readAll(runner, run.runId)).at(-1)).toMatchObject({
    type: 'failed',
    reason: 'hung',
  })
})

test('an agent that makes the same call over and over is ended, and its run says which call', async () => {
  const run = spec('[demo:implement=loop]')
  await runner.start(run)
  const events = await readAll(runner, run.runId)
  const detail = expect.stringMatching(/^Loop detected: .* 10 times in a row .*: ls$/)
  expect(events.at(-1)).toMatchObject({ type: 'failed', reason: 'loop', detail })
  expect(await runner.exit(run.runId)).toMatchObject({ terminal: { reason: 'loop' } })
  expect(leftOf(run.runId)).toEqual([])
})

test('a child that left the process group is gone before the result is shown', async () => {
  const run = spec('[demo:implement=instant,leave-child]')
  await runner.start(run)
  let left: unknown
  for await (const batch of runner.attach(run.runId, { afterSeq: 0 }))
    if (batch.some((event) => event.type === 'done')) left = leftOf(run.runId)
  expect(left).toEqual([])
})

test('a flood of 50 MB arrives whole, and the runner stays small', async () => {
  const run = spec('[demo:implement=instant,flood:50]')
  await runner.start(run)
  let characters = 0
  let last: RunEvent | undefined
  let memory = 0
  for await (const batch of runner.attach(run.runId, { afterSeq: 0 })) {
    characters += transcript(batch).length
    memory = memoryOf(runnerPid(run.runId)) ?? memory
    last = batch.at(-1)
  }
  expect(last).toMatchObject({ type: 'done' })
  expect(characters).toBeGreaterThan(49 * 1024 * 1024)
  expect(memory).toBeLessThan(300)
}, 30_000)

test('secrets never reach a file, not even split over two events', async () => {
  const env = { ...spec('').env, DEMO_API_KEY: 'hunter2-correct-horse-battery' }
  const run = spec('[demo:implement=instant,secret]', { env })
  await runner.start(run)
  const events = await readAll(runner, run.runId)
  const shown = JSON.stringify(events) + transcript(events)
  const files = ['events.ndjson', 'exit.json', 'spec.json']
    .map((name) => readFileSync(join(runDir(run.runId), name), 'utf8'))
    .join('')
  for (const secret of ['hunter2', 'battery', 'a1B2c3D4'])
    expect(shown + files).not.toContain(secret)
  expect(shown).toContain('The key is [redacted:DEMO_API_KEY] and more.')
})

test('the agent gets exactly the environment of its spec and the tags of its run', async () => {
  const run = spec('[demo:implement=instant,env]')
  await runner.start(run)
  const shown = transcript(await readAll(runner, run.runId))
  const names = [...shown.matchAll(/^([A-Z_a-z]+)=/gm)].map((match) => match[1])
  const known = new Set([...Object.keys(run.env), 'DISPATCH_RUN_ID', 'DISPATCH_RUN_DIR'])
  // The shell that runs the command adds these.
  for (const name of ['PWD', 'OLDPWD', '_', 'SHLVL']) known.add(name)
  expect(names.filter((name) => !known.has(name ?? ''))).toEqual([])
  expect(names).toContain('DISPATCH_RUN_ID')
})

test('a sweep ends what nobody knows, and leaves the rest and other homes alone', async () => {
  const known = spec('[demo:implement=slow:30]')
  const orphan = spec('[demo:implement=slow:30]')
  await Promise.all([runner.start(known), runner.start(orphan)])
  await Promise.all([known, orphan].map((run) => readUntil(run.runId, isText)))
  const otherHome = mkdtempSync(join(tmpdir(), 'dispatch-runner-'))
  const other = createRunner({ home: otherHome, entry: built })
  expect(await other.sweep(() => false)).toEqual([])
  expect(await runner.sweep((runId) => runId === known.runId)).toEqual([orphan.runId])
  expect(leftOf(orphan.runId)).toEqual([])
  expect(leftOf(known.runId)).toHaveLength(1)
  await other.close()
  rmSync(otherHome, { recursive: true, force: true })
})

test('a home with a very long path works too', async () => {
  const long = join(home, 'x'.repeat(120))
  mkdirSync(join(long, 'work'), { recursive: true })
  const client = createRunner({ home: long, entry: built })
  open.push(client)
  const run = spec('[demo:implement=instant]')
  await client.start(run)
  expect((await readAll(client, run.runId)).at(-1)).toMatchObject({ type: 'done' })
  expect(await client.state(run.runId)).toBe('exited')
})

test('an unknown agent and a run that was never started say so', async () => {
  const run = spec('', { adapter: 'nobody' })
  await runner.start(run)
  expect((await readAll(runner, run.runId)).at(-1)).toMatchObject({
    type: 'failed',
    reason: 'missing',
  })
  await expect(readAll(runner, randomUUID())).rejects.toThrow('never started')
  expect(await runner.state(randomUUID())).toBe('absent')
  await expect(runner.start({ ...spec(''), runId: '../evil' })).rejects.toThrow('not a run id')
})

test('a start that died half-way is finished by the next one', async () => {
  const run = spec('[demo:implement=instant]')
  // The worker died after the directory was there and before a runner was asked for.
  const half = createLocalTransport({ home, entry: built })
  expect(await half.create(run)).toBe(true)
  await half.close()
  expect(await runner.state(run.runId)).toBe('absent')
  expect(await runner.start(run)).toBe('started')
  expect((await readAll(runner, run.runId)).at(-1)).toMatchObject({ type: 'done' })
})

test('a run that no runner has taken yet begins with what its last starter says', async () => {
  const run = spec('[demo:implement=instant]')
  const half = createLocalTransport({ home, entry: built })
  await half.create(run)
  await half.close()
  const prompt = `${run.prompt} And use tabs.`
  expect(await runner.start({ ...run, prompt })).toBe('started')
  expect(await runner.prompt(run.runId)).toBe(prompt)
  await readAll(runner, run.runId)
  expect(await runner.start(run)).toBe('already')
  expect(await runner.prompt(run.runId)).toBe(prompt)
})

test('a run whose spawner ends while its runner takes it goes on', async () => {
  const run = spec('[demo:implement=instant]')
  mkdirSync(runner.tmpdir(run.runId), { recursive: true })
  const file = join(runDir(run.runId), 'spec.json')
  execFileSync('mkfifo', [file])
  const taking = fork(built.runner, {
    ...{ detached: true, stdio: ['ignore', 'ignore', 'inherit', 'ipc'] },
  })
  taking.send({ runId: run.runId, dir: runDir(run.runId) })
  await until(() => existsSync(join(runDir(run.runId), 'runner.json')), {
    ...{ ms: 10_000, what: 'the runner that has it' },
  })
  taking.disconnect()
  await writeFile(file, JSON.stringify(run))
  expect((await readAll(runner, run.runId)).at(-1)).toMatchObject({ type: 'done' })
})

test('a killed spawner is replaced', async () => {
  const [spawner] = listProcesses().filter(
    ({ pid, parent }) => parent === process.pid && commandOf(pid)?.includes(built.spawner),
  )
  process.kill(spawner?.pid ?? Number.NaN, 'SIGKILL')
  const run = spec('[demo:implement=instant]')
  expect(await runner.start(run)).toBe('started')
  expect((await readAll(runner, run.runId)).at(-1)).toMatchObject({ type: 'done' })
})

test('closing ends the spawner and the runner in waiting', async () => {
  const spawners = () =>
    listProcesses()
      .filter(
        ({ pid, parent }) => parent === process.pid && commandOf(pid)?.includes(built.spawner),
      )
      .map(({ pid }) => pid)
  const others = spawners()
  const client = newClient()
  const run = spec('[demo:implement=instant]')
  await client.start(run)
  await readAll(client, run.runId)
  const [spawner = Number.NaN] = spawners().filter((pid) => !others.includes(pid))
  // the run's own has ended by now, or is about to
  const inWaiting = () => descendantsOf(spawner).map(({ pid }) => pid)
  await expect.poll(inWaiting).toHaveLength(1)
  const both = [spawner, ...inWaiting()]
  await client.close()
  await expect.poll(() => both.filter((pid) => commandOf(pid))).toEqual([])
})

function memoryOf(pid: number): number | undefined {
  const status = readProcFile(pid, 'status')
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(status ?? '')?.[1]
  return kilobytes === undefined ? undefined : Number(kilobytes) / 1024
}

const commandOf = (pid: number) => readProcFile(pid, 'cmdline')

function readProcFile(pid: number, name: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return undefined
  }
}

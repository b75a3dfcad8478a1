import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { pino } from 'pino'
import { afterEach, expect, inject, test, vi } from 'vitest'
import { loadConfig, processEnv } from '../../config/config.ts'
import { shortSocketDir } from '../../config/home.ts'
import { freePort } from '../../config/ports.ts'
import { commandLine, gone } from '../../config/process-table.ts'
import { connectTemporal } from '../../temporal/connection.ts'
import { SEARCH_ATTRIBUTE_TYPES } from '../../temporal/search-attributes.ts'
import { testPort } from '../../test/support/test-port.ts'
import { until } from '../../test/support/until.ts'
import { readServerFile } from './server-file.ts'
import { HomeInUseError, type Stack, startStack } from './stack.ts'
import type { ServiceState } from './supervise.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

const WORKER = `process.on('SIGTERM', () => process.exit(0)); process.on('disconnect', () => process.exit(0))
process.send({ type: 'ready' })`
/** Like the real one it takes another port when the wanted one is in use, and says so. */
const API = `import { createServer } from 'node:http'
process.on('SIGTERM', () => process.exit(0)); process.on('disconnect', () => process.exit(0))
const server = createServer((_, res) => res.end(process.env.DATABASE_URL))
const listen = (port) => server.listen(port, '127.0.0.1', () => process.send({ type: 'ready', port: server.address().port }))
server.once('error', () => listen(0))
listen(Number(process.env.DISPATCH_PORT))`

const childrenOf = (service: ServiceState | undefined): number[] =>
  service?.status === 'running'
    ? execFileSync('pgrep', ['-P', `${service.pid}`], { encoding: 'utf8' })
        .trim()
        .split('\n')
        .map(Number)
    : []

/** A child of Postgres may end by itself between the listing and this. */
function halt(pid: number): void {
  try {
    process.kill(pid, 'SIGSTOP')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function newHome() {
  // as anybody may name a folder: more bytes than letters, and what is special elsewhere
  const home = mkdtempSync(join(tmpdir(), `dispatch-stack, ${'ß'.repeat(30)}-`))
  undo.push(() => rmSync(home, { recursive: true, force: true }))
  undo.push(() => rmSync(shortSocketDir(home), { recursive: true, force: true }))
  const entries = { worker: join(home, 'worker.mjs'), api: join(home, 'api.mjs') }
  writeFileSync(entries.worker, WORKER)
  writeFileSync(entries.api, API)
  return { home, entries }
}

/** One of the person's own, which no new server has. */
const NAMESPACE = 'shop'

async function start(
  { home, entries }: ReturnType<typeof newHome>,
  port: number,
  lines: string[] = [],
  signal = new AbortController().signal,
): Promise<Stack> {
  const { PATH, HOME, XDG_CACHE_HOME } = processEnv()
  const config = loadConfig(
    { PATH, HOME, XDG_CACHE_HOME, TEMPORAL_NAMESPACE: NAMESPACE },
    { home, port, temporalPort: port + 100 },
  )
  const log = pino({ level: 'silent' })
  const stack = await startStack({
    config,
    env: { PATH, HOME },
    log,
    say: (line) => lines.push(line),
    ...{ signal, temporalUi: false, entries },
  })
  undo.push(() => stack.stop())
  return stack
}

test("a home starts, is refused a second time, survives kills and the loss of Temporal's database, and stops without a trace", async () => {
  const place = newHome()
  const lines: string[] = []
  const busy = createServer()
  const port = await testPort()
  await new Promise<void>((resolve) => busy.listen(port, '127.0.0.1', resolve))
  undo.push(() => busy.close())

  const stack = await start(place, port, lines)
  expect(lines.join('\n')).toContain(`port ${port} is in use; the API listens on`)
  expect(await (await fetch(stack.url)).text()).toBe(stack.databaseUrl)
  expect(readServerFile(join(place.home, 'server.json'))).toMatchObject({
    url: stack.url,
    pid: process.pid,
  })
  expect(statSync(join(place.home, 'server.json')).mode & 0o777).toBe(0o600)

  const refused = await start(place, port).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(HomeInUseError)
  expect(refused).toMatchObject({
    exitCode: 75,
    message: expect.stringContaining(`process ${process.pid}`),
  })

  for (const name of ['worker', 'postgres', 'temporal'] as const) {
    const before = stack.processes()[name]
    const again = new Promise<void>((resolve) => {
      const { push } = lines
      lines.push = (...added) => {
        if (added.some((line) => line.startsWith(`${name} runs again`))) resolve()
        return push.apply(lines, added)
      }
    })
    // that hang, as in a long query: they hold its memory, and see no end of their server
    const children = name === 'postgres' ? childrenOf(before) : []
    for (const pid of children) halt(pid)
    if (name === 'temporal') {
      stack.kill(name, 'SIGSTOP') // or it would write its files anew
      for (const file of readdirSync(join(place.home, 'temporal')))
        if (file.includes('.db')) rmSync(join(place.home, 'temporal', file))
    }
    stack.kill(name, 'SIGKILL')
    await again
    expect(stack.processes()[name]).toMatchObject({ status: 'running', restarts: 1 })
    expect(stack.processes()[name]).not.toEqual(before)
    expect(children.map((pid) => commandLine(pid))).toEqual(children.map(() => undefined))
  }
  const temporal = await connectTemporal({ address: stack.temporalAddress })
  const { customAttributes } = await temporal.operatorService.listSearchAttributes({
    namespace: NAMESPACE,
  })
  await temporal.close()
  expect(Object.keys(customAttributes)).toEqual(
    expect.arrayContaining(Object.keys(SEARCH_ATTRIBUTE_TYPES)),
  )
  expect(lines.filter((line) => /Temporal has a new database/.test(line))).toHaveLength(1)
  const client = new pg.Client({ connectionString: stack.databaseUrl })
  await client.connect()
  expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await client.end()

  const pids = Object.values(stack.processes()).map((state) =>
    state.status === 'running' ? state.pid : 0,
  )
  const hanging = [stack.processes()['postgres']].flatMap((server) => [
    ...childrenOf(server),
    server?.status === 'running' ? server.pid : 0,
  ])
  for (const pid of hanging) halt(pid)
  await stack.stop()
  expect([...pids, ...hanging].filter((pid) => commandLine(pid))).toEqual([])
  expect(() => readFileSync(join(place.home, 'server.json'))).toThrow(/ENOENT/)
  expect(() => readFileSync(join(place.home, 'lock'))).toThrow(/ENOENT/)
})

test('after the supervisor is killed, its servers end, and the next start adopts Postgres and Temporal', async () => {
  const place = newHome()
  const port = await testPort()
  const script = `
    import { startStack } from ${JSON.stringify(new URL('./stack.ts', import.meta.url).pathname)}
    import { loadConfig } from ${JSON.stringify(new URL('../../config/config.ts', import.meta.url).pathname)}
    const log = { info() {}, warn() {} }
    const config = loadConfig(process.env, { home: ${JSON.stringify(place.home)}, port: ${port}, temporalPort: ${port + 100} })
    const stack = await startStack({ config, env: process.env, log, say() {}, temporalUi: false, entries: ${JSON.stringify(place.entries)} })
    console.log(JSON.stringify(stack.processes()))`
  const file = join(place.home, 'supervisor.mts')
  writeFileSync(file, script)
  const tsx = new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url).href
  const supervisor = spawn(process.execPath, ['--import', tsx, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const line = await new Promise<string>((resolve, reject) => {
    supervisor.stdout.once('data', (data) => resolve(String(data)))
    supervisor.once('exit', (code) => reject(new Error(`the supervisor ended with ${code}`)))
  })
  const first = JSON.parse(line) as Record<string, { pid: number }>
  supervisor.removeAllListeners('exit')
  const ended = once(supervisor, 'exit') // on a busy machine a killed process may live on for a while
  supervisor.kill('SIGKILL')
  await ended

  // by another name of the same home
  symlinkSync(place.home, `${place.home}-link`)
  undo.push(() => rmSync(`${place.home}-link`))
  const stack = await start({ ...place, home: `${place.home}-link` }, port)
  const second = stack.processes()
  expect(await gone(first['worker']?.pid ?? 0, 0)).toBe(true)
  expect(await gone(first['api']?.pid ?? 0, 0)).toBe(true)
  expect(second['postgres']).toMatchObject({ pid: first['postgres']?.pid })
  expect(second['temporal']).toMatchObject({ pid: first['temporal']?.pid })
  expect(stack.url).toBe(`http://127.0.0.1:${port}`)
  await stack.stop()
  expect(await gone(first['postgres']?.pid ?? 0, 0)).toBe(true)
  expect(await gone(first['temporal']?.pid ?? 0, 0)).toBe(true)
})

const processesOf = (home: string) =>
  execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((args) => args.includes(home))

test('a start that is given up ends all it has started, wherever it is, and the next one works', async () => {
  const place = newHome()
  const inHome = (...names: string[]) => join(place.home, ...names)
  const port = await testPort()
  const giveUp = async (what: string, isThere: () => boolean, lines: string[] = []) => {
    const given = new AbortController()
    const outcome = start(place, port, lines, given.signal).catch((error) => error)
    await until(isThere, { ms: 30_000, what, everyMs: 5 })
    const reason = new Error(`given up: ${what}`)
    const at = performance.now()
    given.abort(reason)
    expect(await outcome).toBe(reason)
    expect(performance.now() - at, what).toBeLessThan(8_000)
    expect(processesOf(place.home), what).toEqual([])
    expect(
      ['lock', 'server.json'].filter((name) => existsSync(inHome(name))),
      what,
    ).toEqual([])
  }
  await giveUp('initdb', () => existsSync(inHome('pg', 'data', 'base')))
  await giveUp('Temporal', () => existsSync(inHome('temporal', 'dev-server.json')))

  writeFileSync(
    place.entries.worker,
    WORKER.replace(/process.send.*/, 'setInterval(() => {}, 60_000)'),
  )
  const lines: string[] = []
  vi.useFakeTimers({ toFake: ['setInterval'] })
  try {
    const isSaid = () => {
      vi.advanceTimersByTime(10_000)
      return /still waiting for worker to be ready, since/.test(lines.join())
    }
    await giveUp('worker', isSaid, lines)
  } finally {
    vi.useRealTimers()
  }

  writeFileSync(place.entries.worker, WORKER)
  const stack = await start(place, port)
  expect(Object.values(stack.processes()).map(({ status }) => status)).toEqual(
    Array(4).fill('running'),
  )
}, 60_000)

test('with its own servers elsewhere, only worker and API run; a part that does not start is said, and frees the home', async () => {
  const { home, entries } = newHome()
  const { PATH, HOME } = processEnv()
  const env = {
    PATH,
    HOME,
    DATABASE_URL: inject('databaseUrl'),
    TEMPORAL_ADDRESS: inject('temporalAddress'),
  }
  const options = {
    config: loadConfig(env, { home, port: await freePort() }),
    ...{ env, log: pino({ level: 'silent' }), say: () => undefined, entries },
  }
  writeFileSync(entries.worker, 'throw new Error("the worker has no workflows")')
  await expect(startStack(options)).rejects.toThrow(
    /worker did not start: it exited with 1[\s\S]*has no workflows/,
  )
  // words of the start before would be taken for its reason
  writeFileSync(entries.worker, 'console.error("has no words"); process.exit(1)')
  await expect(startStack(options)).rejects.toThrow(
    /^worker did not start: it exited with 1\nhas no words$/,
  )
  expect(() => readFileSync(join(home, 'lock'))).toThrow(/ENOENT/)

  writeFileSync(entries.worker, WORKER)
  const stack = await startStack(options)
  undo.push(() => stack.stop())
  expect(Object.keys(stack.processes()).sort()).toEqual(['api', 'worker'])
  expect(stack.temporalAddress).toBe(inject('temporalAddress'))
  const before = stack.processes()['api']
  await stack.restart('api')
  expect(stack.processes()['api']).not.toEqual(before)
  expect((await fetch(stack.url)).ok).toBe(true)

  // where its file cannot be written, as on a full disk, it goes on and tells of it later
  const file = join(home, 'server.json')
  const inTheWay = `${file}.${process.pid}.tmp`
  mkdirSync(inTheWay)
  await stack.restart('api')
  const { pid } = stack.processes()['api'] as { pid: number }
  expect(readServerFile(file)?.processes['api']?.pid).not.toBe(pid)
  rmSync(inTheWay, { recursive: true })
  const told = () => readServerFile(file)?.processes['api']?.pid === pid
  await until(told, { ms: 10_000, what: 'server.json' })
})

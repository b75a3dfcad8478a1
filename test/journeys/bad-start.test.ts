import { type ChildProcess, fork, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from 'vitest'
import { sandboxProblem } from '../../adapters/sandbox/probe.ts'
import { readServerFile } from '../../cli/supervisor/server-file.ts'
import { result, runCli, startCli } from '../../cli/testing/run-cli.ts'
import { processEnv } from '../../config/config.ts'
import { connect } from '../../db/connect.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { makeRepository } from '../support/repository.ts'
import { testPort } from '../support/test-port.ts'
import { until } from '../support/until.ts'

const NOT_LISTED = 43_210

let folder: string
let own: TestDatabase
let env: Record<string, string>
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'dispatch-start-'))
  own = await createTestDatabase()
  env = {
    ...{ HOME: folder, PATH: processEnv()['PATH'] ?? '', DISPATCH_HOME: join(folder, 'home') },
    ...{ DATABASE_URL: own.url, TEMPORAL_ADDRESS: inject('temporalAddress') },
    TEMPORAL_TASK_QUEUE: `q-${randomBytes(4).toString('hex')}`,
  }
})
afterEach(async () => {
  await own.drop()
  rmSync(folder, { recursive: true, force: true })
})

/** What one of the built servers says before it ends. */
const runServer = (file: string) =>
  result(
    spawn(process.execPath, [join(inject('dist'), file)], {
      env: { ...env, DISPATCH_PORT: String(20_000 + (process.pid % 20_000)) },
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  )

/** Waits for a line on stdout; fails with all it said when it ends first. */
function said(child: ChildProcess, wanted: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let all = ''
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (chunk) => {
        all += chunk
        if (wanted.test(all)) resolve(all)
      })
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${all}`)))
  })
}

const noSandbox = await sandboxProblem()
test.skipIf(noSandbox !== undefined)(
  `where there is no /proc nothing is started${noSandbox ? ` (not tried: ${noSandbox})` : ''}`,
  async () => {
    const under = ['bwrap', '--dev-bind', '/', '/', '--tmpfs', '/proc']
    const { code, stderr } = await runCli(['start'], { env, under })
    expect({ code, stderr }).toEqual({
      code: 78,
      stderr: expect.stringMatching(/^error: .*\/proc.*\nStart it on Linux/),
    })
    expect(existsSync(join(folder, 'home'))).toBe(false)
  },
)

// only root may become another user
test.skipIf(process.getuid?.() !== 0)(
  "root writes nothing into another user's home, and a user whom the system does not know is told so",
  async () => {
    const home = join(folder, 'home')
    mkdirSync(join(home, 'hubs'), { recursive: true })
    for (const path of [folder, home, join(home, 'hubs')]) chownSync(path, NOT_LISTED, NOT_LISTED)
    expect(await runCli(['start'], { env })).toEqual({
      code: 78,
      stdout: '',
      stderr: `error: The home ${home} cannot be used: it is that of another user (uid ${NOT_LISTED}): start it as that user.\nName another one with --home or DISPATCH_HOME.\n`,
    })
    expect(readdirSync(home)).toEqual(['hubs'])
    const under = ['setpriv', `--reuid=${NOT_LISTED}`, `--regid=${NOT_LISTED}`, '--clear-groups']
    expect(await runCli(['start'], { env, under })).toEqual({
      code: 78,
      stdout: '',
      stderr: expect.stringMatching(`^error: .*uid ${NOT_LISTED}.*/etc/passwd: add it there`),
    })
  },
)

test('a database of a newer Dispatch is refused by worker, API and start, and nothing in it is changed', async () => {
  const database = connect(own.url)
  try {
    await database
      .knex('knex_migrations')
      .insert({ name: '999-later', batch: 2, migration_time: new Date() })
    const tables = async () => [
      await database.knex('knex_migrations').orderBy('id'),
      await database
        .knex('information_schema.tables')
        .where({ table_schema: 'public' })
        .pluck('table_name')
        .orderBy('table_name'),
      await database.knex('profiles').count(),
    ]
    const before = await tables()
    for (const server of ['worker.js', 'api.js']) {
      const { code, stderr } = await runServer(server)
      expect(code, stderr).toBe(78)
      expect(stderr).toMatch(
        /^The database has schema version \d+, this Dispatch knows up to \d+\. Start the newer Dispatch/,
      )
      expect(stderr.trim().split('\n')).toHaveLength(1)
    }
    const start = await runCli(['start'], { env })
    expect(start.code).toBe(78)
    expect(start.stderr).toContain(
      'Start the newer Dispatch that made it, or use another DISPATCH_HOME',
    )
    expect(await tables()).toEqual(before)
  } finally {
    await database.close()
  }
})

test('in a folder that was deleted: a port in use is said and another taken; a second start ends with 75; without its terminal it goes on, and stops in order', async () => {
  const taken = createServer()
  const port = await testPort()
  await new Promise<void>((resolve) => taken.listen(port, '127.0.0.1', resolve))
  const gone = mkdtempSync(join(folder, 'gone-'))
  const start = [process.execPath, join(inject('dist'), 'cli.cjs'), 'start', '--port', String(port)]
  const child = spawn('sh', ['-c', 'rmdir "$PWD" && exec "$@"', 'sh', ...start], { cwd: gone, env })
  const ended = result(child)
  try {
    const output = await said(child, /web UI +http:\S+/)
    expect(output).toContain(`port ${port} is in use; the API listens on `)
    const url = /web UI +(\S+)/.exec(output)?.[1] ?? ''
    expect(url).not.toContain(String(port))
    expect((await fetch(`${url}/health`)).status).toBe(200)
    const second = await runCli(['start'], { env })
    expect(second.code).toBe(75)
    expect(second.stderr).toContain(String(child.pid))

    // nobody reads any more what it says, as of an API that ends
    for (const stream of [child.stdout, child.stderr]) stream?.destroy()
    const server = () => readServerFile(join(folder, 'home', 'server.json'))
    const before = server()?.processes['api']?.pid ?? 0
    process.kill(before, 'SIGKILL')
    const again = () => {
      const { pid } = server()?.processes['api'] ?? {}
      return pid !== undefined && pid !== before
    }
    await until(again, { ms: 20_000, what: 'an API that runs again' })
  } finally {
    // a terminal that closes says so twice: to all, and to its shell, which passes it on
    for (const _ of [1, 2]) child.kill('SIGHUP')
    taken.close()
  }
  expect((await ended).code).toBe(0)
  expect(readdirSync(join(folder, 'home'))).not.toContain('lock')
})

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const)(
  '%s while it starts gives the start up at once, with exit code %i',
  async (signal, code) => {
    const bin = join(folder, 'bin')
    mkdirSync(bin)
    const hangs = `#!/bin/sh\n: > '${join(folder, 'asked')}'\nexec sleep 60\n`
    writeFileSync(join(bin, 'temporal'), hangs, { mode: 0o700 })
    const { TEMPORAL_ADDRESS: _none, ...rest } = env
    const child = startCli(['start'], { env: { ...rest, PATH: `${bin}:${env['PATH']}` } })
    const ended = result(child)
    await until(() => existsSync(join(folder, 'asked')), {
      ms: 20_000,
      what: 'a start',
      everyMs: 10,
    })
    const at = performance.now()
    child.kill(signal)
    const { stdout, ...other } = await ended
    expect(performance.now() - at).toBeLessThan(5_000)
    expect(other).toEqual({ code, stderr: '' })
    expect(stdout).toMatch(
      new RegExp(`^giving up the start \\(${signal}\\): .*\ngiven up.*nothing is lost`, 'm'),
    )
    expect(readdirSync(join(folder, 'home'))).not.toContain('lock')
  },
)

test.each([
  [
    'TEMPORAL_ADDRESS',
    '127.0.0.1:1',
    /no Temporal at 127\.0\.0\.1:1: [\w ]*refused; is the server/,
  ],
  [
    'DATABASE_URL',
    'postgres://me:secret@127.0.0.1:1/shop',
    /Postgres at 127\.0\.0\.1:1\/shop cannot be used: .*REFUSED.* See that it runs/,
  ],
] as const)(
  'a %s where nobody answers is named, with what to check and exit code 69',
  async (name, at, words) => {
    const { code, stderr } = await runCli(['start'], { env: { ...env, [name]: at } })
    expect({ code, stderr }).toEqual({ code: 69, stderr: expect.stringMatching(words) })
    expect(stderr).not.toContain('secret')
  },
)

test('a home does not start on the database of another one that is at work, and starts when that has ended', async () => {
  const worker = (home: string) => {
    const at = { DISPATCH_HOME: join(folder, home), DISPATCH_WORKER_METRICS_PORT: '0' }
    return fork(join(inject('dist'), 'worker.js'), { env: { ...env, ...at }, silent: true })
  }
  const at = (child: ChildProcess) => once(child, 'message')
  const first = worker('first')
  await at(first)
  const second = worker('first') // a team's server has several on one home
  await at(second)
  const refused = { code: 78, stderr: expect.stringMatching(/another home .*DATABASE_URL/) }
  expect(await result(worker('other'))).toMatchObject(refused)
  expect(await runCli(['start'], { env })).toMatchObject(refused)
  for (const child of [first, second]) {
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const third = worker('other')
  await at(third)
  third.kill('SIGTERM')
  await once(third, 'exit')
})

test('a worker and an API started alone do a goal together; each ends in order, and with the command that started it', async () => {
  const repo = makeRepository(join(folder, 'repo'), { 'README.md': '# x\n' })
  const worker = startCli(['worker'], { env: { ...env, DISPATCH_WORKER_METRICS_PORT: '0' } })
  const port = await testPort()
  const taken = createServer().listen(port, '127.0.0.1')
  await once(taken, 'listening')
  const api = startCli(['api', '--port', String(port)], { env })
  onTestFinished(() => {
    for (const child of [worker, api]) child.kill('SIGKILL')
    taken.close()
  })
  const [workerEnds, apiEnds] = [result(worker), result(api)]
  const [aboutWorker, aboutApi] = await Promise.all([
    said(worker, /Ctrl-C stops it/),
    said(api, /Ctrl-C stops it/),
  ])
  const url = /DISPATCH_URL=(\S+)/.exec(aboutApi)?.[1] ?? ''
  expect(aboutApi).toMatch(new RegExp(`^port ${port} is in use$`, 'm'))
  expect(url).not.toContain(String(port))
  const metrics = /metrics: (\S+)/.exec(aboutWorker)?.[1] ?? ''
  expect((await fetch(metrics)).status).toBe(200)
  const cli = async (...args: string[]) => {
    const { code, stdout, stderr } = await runCli([...args, '--json', '--url', url], { env })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return JSON.parse(stdout)
  }
  await cli('projects', 'add', repo)
  await cli('goal', 'Once [demo:all=instant]', '--project', repo, '--profile', 'Demo')
  const asks = async () => (await cli('reviews')).items.length === 1
  await until(asks, { ms: 60_000, what: 'the review of its spec' })
  worker.kill('SIGTERM')
  expect(await workerEnds).toMatchObject({ code: 0, stderr: '' })
  api.kill('SIGKILL')
  await apiEnds
  const silent = () =>
    fetch(`${url}/health`).then(
      () => false,
      () => true,
    )
  await until(silent, { ms: 20_000, what: 'the end of the API' })
})

test('a worker and an API alone say what they need, and end with 78', async () => {
  const { DATABASE_URL: _none, ...rest } = env
  for (const name of ['worker', 'api']) {
    const { code, stderr } = await runCli([name], { env: rest })
    expect({ code, stderr }).toEqual({
      code: 78,
      stderr: expect.stringContaining('"dispatch start"'),
    })
  }
})

test('a namespace that is not there is named, with the command that makes it, and exit code 78', async () => {
  const { code, stderr } = await runCli(['start'], { env: { ...env, TEMPORAL_NAMESPACE: 'nope' } })
  expect({ code, stderr }).toEqual({
    code: 78,
    stderr: expect.stringMatching(
      /The namespace nope of Temporal at \S+ cannot be used: Namespace nope is not found\. .*namespace create --address \S+ --namespace nope.*TEMPORAL_NAMESPACE/,
    ),
  })
  expect(stderr).not.toContain('Status {')
})

test('Temporal that cannot be found or fetched: every way that was tried, and what to do', async () => {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  symlinkSync(process.execPath, join(bin, 'node'))
  const { TEMPORAL_ADDRESS: _none, ...rest } = env
  const { code, stderr } = await runCli(['start'], {
    env: {
      ...rest,
      ...{ PATH: bin, XDG_CACHE_HOME: join(folder, 'cache') },
      // nothing can be downloaded
      ...{ HTTPS_PROXY: 'http://127.0.0.1:1', HTTP_PROXY: 'http://127.0.0.1:1' },
      ...{
        https_proxy: 'http://127.0.0.1:1',
        http_proxy: 'http://127.0.0.1:1',
        NO_PROXY: '',
        no_proxy: '',
      },
    },
  })
  expect(code).toBe(1)
  expect(stderr).toContain('Temporal was not found. Tried:')
  expect(stderr).toContain('PATH: no "temporal"')
  expect(stderr).toContain('set TEMPORAL_ADDRESS to a running server')
})

test('commands without a running Dispatch say how to start it, with exit code 69', async () => {
  for (const args of [['goals'], ['status'], ['goal', 'x', '--project', '/nowhere']]) {
    const { code, stderr } = await runCli([...args, '--home', join(folder, 'empty')], { env })
    expect(code, args[0]).toBe(69)
    expect(stderr).toContain('dispatch start')
  }
})

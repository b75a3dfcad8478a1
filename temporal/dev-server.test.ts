import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, onTestFinished, test, vi } from 'vitest'
import { loadConfig, processEnv } from '../config/config.ts'
import { sharedCache } from '../config/home.ts'
import { commandLine } from '../config/process-table.ts'
import { testPort } from '../test/support/test-port.ts'
import { until } from '../test/support/until.ts'
import { connectTemporal } from './connection.ts'
import { startDevServer } from './dev-server.ts'
import { databaseFile, lastUsedVersion, readState } from './dev-server-files.ts'
import { findTemporal } from './find-temporal.ts'
import { prepareNamespace } from './search-attributes.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dispatch-temporal-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const nothing = () => undefined
const silent = { info: nothing } as never
const inDir = () => ({ dir, logFile: join(dir, 'log'), log: silent, say: nothing })

async function binary() {
  const { PATH, HOME, XDG_CACHE_HOME } = processEnv()
  const { path, xdgCacheHome } = loadConfig({ PATH, HOME, XDG_CACHE_HOME }, { home: dir })
  return findTemporal({
    path,
    caches: [join(sharedCache(xdgCacheHome), 'temporal')],
    downloads: [],
  })
}

test('a server that is left is adopted, whatever TEMPORAL_ENV is for others, and a note of one that a power cut spoilt names none', async () => {
  writeFileSync(join(dir, 'dev-server.json'), '')
  vi.stubEnv('TEMPORAL_ENV', 'prod')
  onTestFinished(() => void vi.unstubAllEnvs())
  const options = { ...inDir(), binary: await binary() }
  const first = await startDevServer(options)
  expect(first.adopted).toBe(false)

  // whatever is on the PATH by now: it is the one that knows the goals
  const upgraded = { ...options.binary, version: '99.0.0' }
  const second = await startDevServer({ ...options, binary: upgraded })
  const { pid, address, version } = first
  expect(second).toMatchObject({ adopted: true, pid, address, version })
  await second.stop()
  await first.exited
})

test('a clock that is set forward in the middle is no reason to give a start up', async () => {
  const options = { ...inDir(), binary: await binary() }
  const hourAgo = new Date().getTime() - 3_600_000
  const clock = vi.spyOn(Date, 'now').mockReturnValue(hourAgo)
  const starting = startDevServer(options).finally(() => clock.mockRestore())
  await until(() => readState(dir) !== undefined, { ms: 10_000, what: 'a server', everyMs: 5 })
  clock.mockRestore()
  await (await starting).stop()
})

test('a start that was killed before its server was healthy leaves none beside which another one is started', async () => {
  // it says that it runs, and never listens
  execFileSync('mkfifo', [join(dir, 'began')])
  const script = `#!/bin/sh\necho $$ > '${join(dir, 'began')}'\nread never < '${join(dir, 'began')}'\n`
  writeFileSync(join(dir, 'slow'), script, { mode: 0o700 })
  const cli = await binary()
  const at = inDir()
  const killed = startDevServer({ ...at, binary: { ...cli, path: join(dir, 'slow') } })
  killed.catch(nothing)
  const pid = Number(await readFile(join(dir, 'began'), 'utf8'))
  const next = await startDevServer({ ...at, binary: cli })
  onTestFinished(next.stop)
  expect(next).toMatchObject({ adopted: false })
  expect(commandLine(pid)).toBeUndefined()
  await expect(killed).rejects.toThrow('Temporal did not start')
})

test('a start that is given up has ended its server at once, also one that would come up first', async () => {
  execFileSync('mkfifo', [join(dir, 'began')])
  const script = `#!/bin/sh\ntrap '' TERM\necho > '${join(dir, 'began')}'\nread never < '${join(dir, 'began')}'\n`
  writeFileSync(join(dir, 'slow'), script, { mode: 0o700 })
  const cli = await binary()
  const at = inDir()
  const given = new AbortController()
  const slow = { ...cli, path: join(dir, 'slow') }
  const outcome = startDevServer({ ...at, binary: slow, signal: given.signal }).catch((e) => e)
  await readFile(join(dir, 'began'))
  const { pid = 0 } = readState(dir) ?? {}
  const asked = performance.now()
  given.abort(new Error('enough'))
  expect(await outcome).toMatchObject({ message: 'enough' })
  expect(performance.now() - asked).toBeLessThan(4_000)
  expect(commandLine(pid)).toBeUndefined()
  expect(readState(dir)).toBeUndefined()
  await (await startDevServer({ ...at, binary: cli })).stop()
})

test('a start that is given up waits for no answer of a server that was left and hangs', async () => {
  const cli = await binary()
  const at = { ...inDir(), binary: cli }
  const left = await startDevServer(at)
  onTestFinished(left.stop)
  process.kill(left.pid, 'SIGSTOP')
  const given = new AbortController()
  const outcome = startDevServer({ ...at, signal: given.signal }).catch((error) => error)
  const asked = performance.now()
  given.abort(new Error('enough'))
  expect(await outcome).toMatchObject({ message: 'enough' })
  expect(performance.now() - asked).toBeLessThan(1_500)
  process.kill(left.pid, 'SIGCONT')
})

test('a file that a server has not finished is made again, unless it was written long after it was begun', async () => {
  const options = { ...inDir(), binary: await binary() }
  const file = databaseFile(dir, options.binary.version)
  // the server makes its tables only where there is no file
  for (const name of [file, `${file}.making`]) writeFileSync(name, '')
  await (await startDevServer(options)).stop()
  expect(existsSync(`${file}.making`)).toBe(false)

  writeFileSync(`${file}.making`, '')
  utimesSync(`${file}.making`, 1, 1)
  const server = await startDevServer(options)
  onTestFinished(server.stop)
  const id = await idOfDefault(server.address)
  const connection = await connectTemporal({ address: server.address })
  onTestFinished(() => connection.close())

  // one that answers no more
  process.kill(server.pid, 'SIGSTOP')
  await expect(prepareNamespace(connection, 'default', { withinMs: 300 })).rejects.toThrow(
    'Temporal did not get its namespace default ready within 0.3 s: look at its log ("dispatch logs --service temporal")',
  )
  const given = new AbortController()
  const outcome = prepareNamespace(connection, 'default', { signal: given.signal })
  given.abort(new Error('enough'))
  await expect(outcome).rejects.toThrow('enough')
  process.kill(server.pid, 'SIGCONT')
  expect(await idOfDefault(server.address)).toBe(id)
})

test('goals that ran with another version of Temporal are spoken of; the version that was used last is known', async () => {
  const said: string[] = []
  const start = async (version: string) => {
    const broken = { path: '/bin/false', version, from: 'PATH' }
    const at = { dir, logFile: join(dir, 'log'), log: silent }
    await startDevServer({ ...at, binary: broken, say: (line) => said.push(line) }).catch(nothing)
    return said.splice(0).join()
  }
  const use = (version: string, second: number) => {
    writeFileSync(join(dir, `temporal-${version}.db`), '')
    utimesSync(join(dir, `temporal-${version}.db`), second, second)
  }
  expect(lastUsedVersion(join(dir, 'none'))).toBeUndefined()
  expect(await start('1.9.1')).toBe('')
  use('1.9.1', 1)
  use('1.10.0', 2)
  expect(lastUsedVersion(dir)).toBe('1.10.0')
  expect(await start('1.9.1')).toMatch(/1\.9\.1 now .* goals that ran with 1\.10\.0/)
  expect(await start('1.10.0')).toBe('')
})

test.skipIf(process.platform !== 'linux')(
  'of two that start at once each is the server at its address (who listens is told by /proc)',
  async () => {
    const port = await testPort()
    const cli = await binary()
    const at = (name: string) => join(dir, name)
    // it has looked for a port, and starts only when the other one has taken that
    execFileSync('mkfifo', [at('asked'), at('go')])
    const once = `mkdir '${at('once')}' && : > '${at('asked')}' && cat '${at('go')}'`
    writeFileSync(at('slow'), `#!/bin/sh\n${once}\n'${cli.path}' "$@"\n`, { mode: 0o700 })
    const slow = { ...cli, path: at('slow') }
    const rest = { log: silent, say: nothing, port }
    const second = startDevServer({ dir: at('b'), binary: slow, logFile: at('b.log'), ...rest })
    await readFile(at('asked'))
    const first = await startDevServer({ dir: at('a'), binary: cli, logFile: at('a.log'), ...rest })
    await writeFile(at('go'), '')
    const servers = [first, await second]
    onTestFinished(async () => {
      for (const server of servers) await server.stop()
    })
    expect(first.address).toBe(`127.0.0.1:${port}`)
    const databases = await Promise.all(servers.map(({ address }) => idOfDefault(address)))
    expect(new Set(databases).size).toBe(2)
  },
)

/** Made with the file of the server that answers there. */
async function idOfDefault(address: string): Promise<string | null | undefined> {
  const connection = await connectTemporal({ address })
  const { namespaceInfo } = await connection.workflowService.describeNamespace({
    namespace: 'default',
  })
  await connection.close()
  return namespaceInfo?.id
}

test('search attributes are registered once and again', async () => {
  const connection = await connectTemporal({ address: inject('temporalAddress') })
  await prepareNamespace(connection)
  await prepareNamespace(connection)
  const { customAttributes } = await connection.operatorService.listSearchAttributes({
    namespace: 'default',
  })
  expect(Object.keys(customAttributes)).toEqual(
    expect.arrayContaining(['GoalStatus', 'GoalStage', 'ProjectId', 'Adapter', 'PendingReview']),
  )
  const { config } = await connection.workflowService.describeNamespace({ namespace: 'default' })
  expect(Number(config?.workflowExecutionRetentionTtl?.seconds)).toBe(30 * 86_400)
  await connection.close()
})

test('an address where nothing listens is named, with what to check', async () => {
  await expect(connectTemporal({ address: '127.0.0.1:1', connectTimeoutMs: 300 })).rejects.toThrow(
    /no Temporal at 127\.0\.0\.1:1.*TEMPORAL_TLS/,
  )
})

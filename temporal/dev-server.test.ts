import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, onTestFinished, test } from 'vitest'
import { loadConfig, processEnv } from '../config/config.ts'
import { sharedCache } from '../config/home.ts'
import { testPort } from '../test/support/test-port.ts'
import { connectTemporal } from './connection.ts'
import { startDevServer } from './dev-server.ts'
import { findTemporal } from './find-temporal.ts'
import { prepareNamespace } from './search-attributes.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dispatch-temporal-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function binary() {
  const { PATH, HOME, XDG_CACHE_HOME } = processEnv()
  const { path, xdgCacheHome } = loadConfig({ PATH, HOME, XDG_CACHE_HOME }, { home: dir })
  return findTemporal({
    path,
    caches: [join(sharedCache(xdgCacheHome), 'temporal')],
    downloads: [],
  })
}

test('a server that is left is adopted; one whose file is of another version is said and kept', async () => {
  const warnings: string[] = []
  const log = {
    info: () => undefined,
    warn: (_: object, message: string) => void warnings.push(message),
  }
  writeFileSync(join(dir, 'temporal-0.9.0.db'), '')
  const options = { dir, binary: await binary(), logFile: join(dir, 'log'), log: log as never }
  const first = await startDevServer(options)
  expect(first.adopted).toBe(false)
  expect(warnings.join()).toMatch(/cannot read the file of another version/)

  const second = await startDevServer(options)
  expect(second).toMatchObject({ adopted: true, pid: first.pid, address: first.address })
  await second.stop()
  await first.exited
})

test.skipIf(process.platform !== 'linux')(
  'of two that start at once each is the server at its address (who listens is told by /proc)',
  async () => {
    const log = { info: () => undefined, warn: () => undefined } as never
    const port = await testPort()
    const cli = await binary()
    const at = (name: string) => join(dir, name)
    // it has looked for a port, and starts only when the other one has taken that
    execFileSync('mkfifo', [at('asked'), at('go')])
    const once = `mkdir '${at('once')}' && : > '${at('asked')}' && cat '${at('go')}'`
    writeFileSync(at('slow'), `#!/bin/sh\n${once}\n'${cli.path}' "$@"\n`, { mode: 0o700 })
    const slow = { ...cli, path: at('slow') }
    const second = startDevServer({ dir: at('b'), binary: slow, logFile: at('b.log'), log, port })
    await readFile(at('asked'))
    const first = await startDevServer({
      dir: at('a'),
      binary: cli,
      logFile: at('a.log'),
      log,
      port,
    })
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

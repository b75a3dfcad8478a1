import { type ChildProcess, fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, inject, test, vi } from 'vitest'
import { processEnv } from '../config/config.ts'
import { createTestDatabase } from '../test/support/database.ts'
import { send } from './support/test-api.ts'

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** The built server in a process of its own. */
async function startMain(env: Record<string, string> = {}) {
  const database = await createTestDatabase()
  const home = mkdtempSync(join(tmpdir(), 'dispatch-api-main-'))
  undo.push(database.drop, () => rmSync(home, { recursive: true, force: true }))
  const { PATH = '', HOME = '' } = processEnv()
  const child = fork(join(inject('dist'), 'api.js'), {
    silent: true,
    env: {
      ...{ PATH, HOME, DISPATCH_HOME: home, DATABASE_URL: database.url, DISPATCH_PORT: '4900' },
      ...{ TEMPORAL_ADDRESS: inject('temporalAddress'), ...env },
    },
  })
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
  undo.push(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { child, ended, words: wordsOf(child) }
}

function wordsOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    child.stderr?.on('data', (chunk) => {
      text += chunk
    })
    child.stderr?.once('end', () => resolve(text))
  })
}

const ready = (child: ChildProcess) =>
  new Promise<number>((resolve) =>
    child.once('message', (message: { type: string; port: number }) => resolve(message.port)),
  )

const get = (port: number, path: string) => send(port, { method: 'GET', path, headers: {} })

test('it says when it is ready, answers, and ends cleanly on SIGTERM and with its parent', async () => {
  for (const end of [
    (child: ChildProcess) => child.kill('SIGTERM'),
    (child: ChildProcess) => child.disconnect(),
  ]) {
    const { child, ended } = await startMain()
    const port = await ready(child)
    // Temporal counts as away when the first connection to it takes longer than a second
    await vi.waitFor(
      async () =>
        expect(await get(port, '/ready')).toMatchObject({
          status: 200,
          body: { postgres: true, temporal: true },
        }),
      { timeout: 30_000 },
    )
    const profiles = await get(port, '/api/profiles')
    expect(profiles.body.items.map((one: { name: string }) => one.name)).toEqual([
      'Auto',
      'Default',
      'Demo',
    ])
    end(child)
    expect(await ended).toBe(0)
  }
})

test('it serves what is stored while Temporal is away', async () => {
  const { child } = await startMain({ TEMPORAL_ADDRESS: '127.0.0.1:1' })
  const port = await ready(child)
  expect(await get(port, '/api/goals')).toMatchObject({ status: 200, body: { items: [] } })
  const asked = performance.now()
  expect(await get(port, '/ready')).toMatchObject({ body: { status: 'degraded', temporal: false } })
  expect(performance.now() - asked).toBeLessThan(10_000) // when the connection itself gives up
})

test('it does not let other machines in by mistake, and says what is missing', async () => {
  const open = await startMain({ DISPATCH_HOST: '0.0.0.0' })
  expect(await open.ended).toBe(78)
  expect(await open.words).toContain('DISPATCH_ALLOW_NETWORK')
  // of those for documentation (RFC 5737): no machine has it
  const nowhere = await startMain({ DISPATCH_HOST: '192.0.2.1', DISPATCH_ALLOW_NETWORK: '1' })
  expect(await nowhere.ended).toBe(78)
  expect(await nowhere.words).toMatch(/^the API cannot listen on 192\.0\.2\.1:4900 .*DISPATCH_HOST/)
  const missing = await startMain({ DATABASE_URL: '' })
  expect(await missing.ended).toBe(78)
  expect(await missing.words).toContain('DATABASE_URL is not set')
})

import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { callThroughRestart } from './restart.ts'
import { startFixtureApi } from './testing/fixture-api.ts'
import { result, runCli, startCli } from './testing/run-cli.ts'

let home: string
/** Takes connections and says nothing, as a process that was stopped. */
let silent: Server
let silentUrl: string
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'dispatch-hanging-'))
  silent = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  silentUrl = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
})
afterEach(() => {
  silent.close()
  rmSync(home, { recursive: true, force: true })
})

function serverFile(url: string, processes: Record<string, number>, more: object = {}) {
  const listed = Object.entries(processes).map(([name, pid]) => [name, { pid }])
  const file = { url, pid: process.pid, processes: Object.fromEntries(listed), ...more }
  writeFileSync(join(home, 'server.json'), JSON.stringify(file))
}

test('an API that hangs is named with what ends it, within seconds; the doctor says what it can say without it', async () => {
  serverFile(silentUrl, { api: 4711 })
  const [status, doctor] = await Promise.all(
    ['status', 'doctor'].map((command) => runCli([command, '--home', home])),
  )
  expect(status).toMatchObject({
    code: 75,
    stderr: expect.stringMatching(
      /The API \(process 4711\) does not answer: no answer within 4 s\.\n.*kill -9 4711/,
    ),
  })
  expect(doctor?.code).toBe(1)
  expect(doctor?.stdout).toMatch(/✓ node: [\s\S]*✗ api: .*process 4711.*\n.*kill -9 4711/)
}, 20_000)

test('whoever wanted something of it is told the same, and whether it was done is not known', async () => {
  const ask = (repeatable: boolean) =>
    callThroughRestart({
      server: () => ({ url: silentUrl, supervisor: { pid: process.pid }, api: 4711 }),
      call: () =>
        Promise.reject(Object.assign(new Error('no answer within 30 s'), { code: 'ETIMEDOUT' })),
      repeatable,
      signal: new AbortController().signal,
      note: () => undefined,
    })
  const message = 'The API (process 4711) does not answer: no answer within 30 s.'
  await expect(ask(true)).rejects.toMatchObject({ code: 'not_answering', message })
  await expect(ask(false)).rejects.toThrow(`${message} Whether it was done is not known.`)
})

test('who waits longer than usual for an answer is told whose', async () => {
  serverFile(silentUrl, { api: 4711 })
  const child = startCli(['approve', 'R-9', '--home', home])
  const [words] = (await once(child.stderr as Readable, 'data')) as [Buffer]
  child.kill('SIGINT')
  expect(`${words}`).toBe('The API (process 4711) has not answered yet; waiting ...\n')
  expect(await result(child)).toMatchObject({ code: 130 })
}, 20_000)

test('a process that has the pid of a supervisor of before the machine was started anew is none', async () => {
  silent.close()
  serverFile(silentUrl, {}, { start: 'of another process' })
  expect(await runCli(['goals', '--home', home])).toMatchObject({
    code: 69,
    stderr: expect.stringContaining('Start it: dispatch start'),
  })
})

test('a Postgres that does not answer is named with what ends it, and nothing is asked of it', async () => {
  const api = await startFixtureApi()
  api.answer('ready', () => ({
    ...{ status: 'degraded', postgres: false, temporal: true, worker: false },
    ...{ workerSilentSince: null, undelivered: null },
  }))
  const run = (command: string) => runCli([command, '--home', home])
  serverFile(api.url, { postgres: 4712 })
  const status = await run('status')
  expect(status).toMatchObject({ code: 1, stdout: expect.stringContaining('no: Postgres does') })
  expect(status.stderr).toMatch(
    /Postgres \(process 4712\) does not answer.*\n.*kill -9 4712 \$\(pgrep -P 4712\)/,
  )
  const doctor = await run('doctor')
  expect(doctor.stdout).toMatch(
    /✗ database: Postgres \(process 4712\).*\n.*kill -9 4712 \$\(pgrep -P 4712\)/,
  )
  expect(api.received.map(({ route }) => route)).toEqual(['ready', 'ready'])

  serverFile(api.url, {})
  expect((await run('status')).stderr).toContain('One that DATABASE_URL names')
  await api.close()
}, 20_000)

test('a Temporal of the home that does not answer is named with what ends it, and nobody is sent to settings of another one', async () => {
  serverFile(silentUrl, { temporal: 4713 }, { temporalAddress: new URL(silentUrl).host })
  const { stdout } = await runCli(['doctor', '--home', home])
  expect(stdout).toMatch(/✗ temporal: .*\(process 4713\) does not answer\n.*kill -9 4713/)
}, 20_000)

test('an API that restarts is waited for no longer where the clock is set back', async () => {
  let now = 0
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => --now)
  const call = callThroughRestart({
    server: () => ({ url: silentUrl, supervisor: { pid: process.pid } }),
    call: () => Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' })),
    ...{ repeatable: true, signal: new AbortController().signal, note: () => undefined },
  })
  await expect(call.finally(() => clock.mockRestore())).rejects.toThrow('try again')
}, 10_000)

import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { killProcesses, taggedProcesses } from '../adapters/process-tree.ts'
import { sandboxProblem } from '../adapters/sandbox/probe.ts'
import type { Sandbox } from '../contracts/agent.ts'
import { runCheckProcess } from './check-process.ts'
import { createLocalTransport } from './local-transport.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'dispatch-check-'))
  mkdirSync(join(home, 'runs'))
})
afterEach(() => {
  killProcesses(left())
  rmSync(home, { recursive: true, force: true })
})

const left = () => taggedProcesses().filter(({ runDir }) => runDir?.startsWith(home))
const check = (
  command: string,
  {
    seconds = 60,
    signal = new AbortController().signal,
    sandbox,
  }: { seconds?: number; signal?: AbortSignal; sandbox?: Sandbox } = {},
) =>
  runCheckProcess(
    { ...named(), command, cwd: home, env: { PATH: '/usr/bin:/bin' }, seconds, sandbox },
    signal,
  )
const named = () => {
  const runId = randomUUID()
  return { runId, dir: join(home, 'runs', runId) }
}

test('both streams and the exit code are told', async () => {
  expect(await check('echo out; echo err >&2; exit 3')).toMatchObject({
    ...{
      exitCode: 3,
      tookTooLong: false,
      output: expect.stringMatching(/out\n.*err\n|err\n.*out\n/s),
    },
  })
})

test('secrets that a test prints are taken out, also where the kept end begins within one', async () => {
  const key = `ghp_${'0123456789abcdef'.repeat(20)}`
  const { output } = await check(
    `echo 'at postgres://me:hunter22@host/db'; echo ${key}; head -c 19990 /dev/zero | tr '\\0' x; echo; echo ${key}`,
  )
  expect(output).not.toMatch(/hunter22|89abcdef/)
  expect(output).toMatch(/x\n\[redacted[^\n]*\n$/)
})

test('a command that hangs is ended with its daemons, and the result says so', async () => {
  const ended = await check('echo begun; setsid sleep 300 & sleep 300', { seconds: 1 })
  expect(ended).toEqual({ exitCode: null, tookTooLong: true, output: 'begun\n' })
  expect(left()).toEqual([])
})

test('a check has its time, however long its container stood still meanwhile', async () => {
  const fifo = join(home, 'fifo')
  execFileSync('mkfifo', [fifo])
  const running = check('read answer < fifo; echo $answer', { seconds: 1 })
  const standsStill = new Int32Array(new SharedArrayBuffer(4))
  Atomics.wait(standsStill, 0, 0, 1_100)
  await writeFile(fifo, 'passed\n')
  expect(await running).toEqual({ exitCode: 0, tookTooLong: false, output: 'passed\n' })
})

test('a daemon that holds the output open does not hold up the result', async () => {
  expect(await check('setsid sleep 300 & echo done')).toMatchObject({
    exitCode: 0,
    output: 'done\n',
  })
  expect(left()).toEqual([])
})

test('one that sheds its tag holds up the result for an instant only', async () => {
  const ended = await check('env -i setsid sleep 20 & echo done', { seconds: 10 })
  expect(ended).toEqual({ exitCode: 0, tookTooLong: false, output: 'done\n' })
})

test('a process of another user, which cannot be ended, is named and left', async () => {
  const kill = process.kill.bind(process)
  const isForeign = (pid: number) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').startsWith('sleep\x00299')
  const refused = vi.spyOn(process, 'kill').mockImplementation((pid, name) => {
    if (!isForeign(pid)) return kill(pid, name)
    throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' })
  })
  const ended = await check('sleep 299 & echo $!; sleep 300', { seconds: 1 })
  refused.mockRestore()
  const [pid] = ended.output.split('\n')
  expect(ended).toMatchObject({ exitCode: null, tookTooLong: true })
  expect(ended.output).toContain(`Processes of another user were left running: ${pid}.`)
})

/** Servers of sandboxes' ways to the network that this process has open. */
function gates(): number {
  const own = new Set(readdirSync('/proc/self/fd').map(linkOf))
  const listening = readFileSync('/proc/net/unix', 'utf8').split('\n')
  return listening.filter(
    (line) => line.endsWith('/gate.sock') && own.has(`socket:[${line.split(/\s+/)[6]}]`),
  ).length
}

/** The listing's own descriptor is closed by now. */
const linkOf = (fd: string) =>
  existsSync(`/proc/self/fd/${fd}`) ? readlinkSync(`/proc/self/fd/${fd}`) : ''

const problem = await sandboxProblem()

test.skipIf(problem !== undefined)(
  `nothing of a sandboxed check with a network is left open${problem ? ` (not tried: ${problem})` : ''}`,
  async () => {
    const sandbox: Sandbox = { network: 'all', readOnly: [], writable: [home], kept: [] }
    expect(await check('echo in', { sandbox })).toMatchObject({ exitCode: 0, output: 'in\n' })
    expect(gates()).toBe(0)
    expect(readdirSync(join(home, 'runs'))).toEqual([])
  },
)

test('a folder that is gone is named', async () => {
  const gone = { ...named(), command: 'true', cwd: join(home, 'gone'), env: {}, seconds: 60 }
  expect(await runCheckProcess(gone, new AbortController().signal)).toMatchObject({
    exitCode: null,
    output: expect.stringMatching(/ENOENT in .*gone$/),
  })
})

test('an abort ends the command and throws its reason', async () => {
  const controller = new AbortController()
  const running = check('sleep 300', { signal: controller.signal })
  await vi.waitFor(() => expect(left()).not.toEqual([]), { timeout: 20_000 })
  controller.abort(new Error('paused'))
  await expect(running).rejects.toThrow('paused')
  expect(left()).toEqual([])
})

test('a sweep ends what a dead runner left, and not what a living one runs', async () => {
  const transport = createLocalTransport({ home, entry: { spawner: '', runner: '' } })
  const script = `
    import { runCheckProcess } from ${JSON.stringify(new URL('./check-process.ts', import.meta.url).href)}
    const order = { command: 'sleep 300', cwd: '/', env: { PATH: process.env.PATH }, seconds: 300 }
    await runCheckProcess({ ...order, ...${JSON.stringify(named())} }, new AbortController().signal)`
  const args = ['--import', 'tsx', '--input-type=module', '-e', script]
  const runner = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
  await vi.waitFor(() => expect(left()).not.toEqual([]), { timeout: 20_000 })
  expect(await transport.alive()).toEqual([])
  runner.kill('SIGKILL')
  await once(runner, 'exit')
  const [runId = randomUUID()] = await transport.alive()
  expect(await transport.reap(runId)).toBeGreaterThan(0)
  expect(left()).toEqual([])
})

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { descendantsOf, readProcess, taggedProcesses } from '../adapters/process-tree.ts'
import { buildForTests } from './build-for-tests.ts'
import { createRunner, type RunnerClient } from './runner.ts'
import { NoSpawnerService } from './service-spawner.ts'

let built: Awaited<ReturnType<typeof buildForTests>>
let home: string
let client: RunnerClient
let service: ChildProcess

beforeAll(async () => {
  built = await buildForTests()
})
afterAll(() => built.remove())
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), 'dispatch-checks-'))
  mkdirSync(join(home, 'runs'))
  service = spawn(process.execPath, [built.spawnerService, home, built.runner], {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    env: {},
  })
  await new Promise((resolve) => service.once('message', resolve))
})
afterEach(async () => {
  await client.sweep(() => false)
  await client.close()
  service.kill('SIGKILL')
  rmSync(home, { recursive: true, force: true })
})

const left = () => taggedProcesses().filter(({ runDir }) => runDir?.startsWith(home))
const order = (command: string) => ({
  ...{ command, cwd: home, env: { PATH: '/usr/bin:/bin' }, seconds: 600 },
})
const check = (command: string, signal = new AbortController().signal) =>
  client.check(order(command), signal)

describe.each([
  { where: 'a child of the worker', spawnerService: false },
  { where: 'the service', spawnerService: true },
])('by $where', ({ spawnerService }) => {
  beforeEach(() => {
    client = createRunner({ home, entry: built, spawnerService })
  })

  test('a check is run there with its own environment alone, and its end is told', async () => {
    const end = await check('env; echo umask=$(umask); exit 3')
    expect(end).toMatchObject({ exitCode: 3, tookTooLong: false })
    const names = [...end.output.matchAll(/^(\w+)=/gm)].map(([, name]) => name)
    const tags = ['DISPATCH_RUN_DIR', 'DISPATCH_RUN_ID', 'DISPATCH_RUN_OWNER']
    expect(end.output).toMatch(/^umask=0*22$/m)
    expect(names.sort()).toEqual([...tags, 'PATH', 'PWD', 'umask'].sort())
  })

  test('it gives way to the person: with its priority, with memory, and with what it leaves', async () => {
    const { output } = await check('nice; cat /proc/self/oom_score_adj /proc/self/limits')
    expect(output).toMatch(/^5\n500\n/)
    expect(output).toMatch(/^Max core file size +0 /m)
    const tasks = Number(/^Max processes +(\d+)/m.exec(output)?.[1])
    const [, all = ''] = / \d+\/(\d+) /.exec(readFileSync('/proc/loadavg', 'utf8')) ?? []
    expect(tasks).toBeLessThan(Number(all) + 2_048 + 1_000 * availableParallelism())
  })

  test('an abort ends it, and its reason is thrown once nothing is left', async () => {
    const controller = new AbortController()
    const running = check('setsid sleep 300 & sleep 300', controller.signal)
    await expect.poll(() => left().length).toBeGreaterThan(2)
    const seen = left() // first: what starts meanwhile is among those of the service as well
    const inService = descendantsOf(service.pid ?? -1).map(({ pid }) => pid)
    expect(seen.every(({ pid }) => inService.includes(pid))).toBe(spawnerService)
    controller.abort(new Error('paused'))
    await expect(running).rejects.toThrow('paused')
    expect(left()).toEqual([])
  })

  test('it does not outlive the worker that asked for it', async () => {
    const runner = new URL('./runner.ts', import.meta.url).href
    const options = JSON.stringify({ home, entry: built, spawnerService })
    const script = `
      import { createRunner } from ${JSON.stringify(runner)}
      await createRunner(${options}).check(${JSON.stringify(order('sleep 300'))}, new AbortController().signal)`
    const args = ['--import', 'tsx', '--input-type=module', '-e', script]
    const worker = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] })
    await expect.poll(() => left().length, { timeout: 20_000 }).toBeGreaterThan(0)
    worker.kill('SIGKILL')
    await expect.poll(left, { timeout: 5_000 }).toEqual([])
  })

  test('one whose runner is killed fails, and nothing of it works on beside the next try', async () => {
    const running = check('setsid sleep 300 & sleep 300')
    const failing = expect(running).rejects.toThrow('ended with SIGKILL')
    await expect.poll(() => left().length).toBeGreaterThan(2)
    const shell = left().find(({ pid, session }) => pid === session)
    process.kill(readProcess(shell?.pid ?? -1)?.parent ?? -1, 'SIGKILL')
    await failing
    expect(left()).toEqual([])
    expect(await check('echo again')).toMatchObject({ exitCode: 0, output: 'again\n' })
  })
})

test('a service that is killed takes its checks along, and whoever waits is told to wait for it', async () => {
  client = createRunner({ home, entry: built, spawnerService: true })
  const running = check('sleep 300')
  const failing = expect(running).rejects.toThrow(NoSpawnerService)
  await expect.poll(() => left().length).toBeGreaterThan(0)
  service.kill('SIGKILL')
  await failing
  await expect.poll(left).toEqual([])
})

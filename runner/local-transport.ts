import { randomUUID } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, open, readdir, rename, rm } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { join, resolve } from 'node:path'
import { isErrno } from '../adapters/is-errno.ts'
import {
  isAlive,
  killUntilGone,
  type ProcessInfo,
  readProcess,
  taggedProcesses,
} from '../adapters/process-tree.ts'
import type { RunSpec, RunState } from '../contracts/agent.ts'
import { readEvents, truncateTornLine } from './event-reader.ts'
import {
  EVENTS_FILE,
  type RunnerFile,
  readExit,
  readRunnerFile,
  readSpec,
  runDirectory,
  SOCKET_FILE,
  SPEC_FILE,
  TMP_FOLDER,
  writeAtomically,
} from './run-files.ts'
import { createServiceSpawner } from './service-spawner.ts'
import { createSpawnerClient, type SpawnerOptions } from './spawner-client.ts'
import { tidyRun } from './tidy.ts'
import type { Transport } from './transport.ts'

/** Runs on this machine, under `<home>/runs`. */
export function createLocalTransport(options: SpawnerOptions): Transport {
  const home = resolve(options.home)
  const runs = join(home, 'runs')
  const spawner = options.spawnerService
    ? createServiceSpawner(home)
    : createSpawnerClient({ ...options, home })
  const dirOf = (runId: string) => runDirectory(runs, runId)
  return {
    create: (spec) => createRunDirectory(runs, spec),
    launch: (runId) => spawner.launch({ runId, dir: dirOf(runId) }),
    async check(check, signal) {
      const runId = randomUUID()
      try {
        return await spawner.check({ ...check, runId, dir: dirOf(runId) }, signal)
      } catch (error) {
        // its runner may have been killed before it could end it
        await reapRun(dirOf(runId), runId)
        throw error
      }
    },
    state: (runId) => stateOf(dirOf(runId)),
    connect: (runId) => connectTo(dirOf(runId)),
    events: (runId, afterSeq) => readEvents(join(dirOf(runId), EVENTS_FILE), afterSeq),
    exit: (runId) => readExit(dirOf(runId)),
    spec: (runId) => readSpec(dirOf(runId)),
    reap: (runId) => reapRun(dirOf(runId), runId),
    alive: () => runsAlive(runs),
    close: () => spawner.close(),
  }
}

/** Made under another name and renamed: a run directory is complete from its first moment, and only one maker wins. */
async function createRunDirectory(runs: string, spec: RunSpec): Promise<boolean> {
  const dir = runDirectory(runs, spec.runId)
  await mkdir(runs, { recursive: true, mode: 0o700 })
  const temporary = await mkdtemp(join(runs, '.new-'))
  try {
    await mkdir(join(temporary, TMP_FOLDER), { mode: 0o700 })
    const file = await open(join(temporary, SPEC_FILE), 'wx', 0o600)
    try {
      await file.writeFile(`${JSON.stringify(spec)}\n`)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, dir)
    return true
  } catch (error) {
    await rm(temporary, { recursive: true, force: true })
    if (!isErrno(error, 'ENOTEMPTY', 'EEXIST')) throw error
    // what people said since a start that came no further is in this one
    if (!(await readRunnerFile(dir))) writeAtomically(join(dir, SPEC_FILE), spec)
    return false
  }
}

/** `absent` is also a run whose directory exists and that no runner has taken yet: starting it is safe. */
async function stateOf(dir: string): Promise<RunState> {
  if (await readExit(dir)) return 'exited'
  const runner = await readRunnerFile(dir)
  if (!runner) return 'absent'
  if (isAlive(runner)) return 'running'
  // It may have written its last file and ended between the two looks.
  return (await readExit(dir)) ? 'exited' : 'lost'
}

/** A socket's path may have 107 bytes; through an open directory's /proc entry it is always short. */
const MAX_SOCKET_PATH = 107

async function connectTo(dir: string): Promise<Socket | undefined> {
  const path = join(dir, SOCKET_FILE)
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return connectPath(path)
  let handle: number
  try {
    handle = openSync(dir, 'r')
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined
    throw error
  }
  try {
    return await connectPath(`/proc/self/fd/${handle}/${SOCKET_FILE}`)
  } finally {
    closeSync(handle)
  }
}

function connectPath(path: string): Promise<Socket | undefined> {
  return new Promise((settle, reject) => {
    const socket = createConnection(path)
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      settle(socket)
    })
    socket.once('error', (error) =>
      // EAGAIN: one that hangs has as many waiting as the system lets wait
      isErrno(error, 'ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'EAGAIN')
        ? settle(undefined)
        : reject(error),
    )
  })
}

async function reapRun(dir: string, runId: string): Promise<number> {
  const runner = await readRunnerFile(dir)
  const { killed } = killUntilGone(() => [
    ...runnerProcess(runner),
    ...taggedProcesses().filter((found) => found.runId === runId && found.runDir === dir),
  ])
  await truncateTornLine(join(dir, EVENTS_FILE))
  const spec = await readSpec(dir)
  if (spec) tidyRun(dir, spec)
  return killed.size
}

function runnerProcess(runner: RunnerFile | undefined): ProcessInfo[] {
  const found = runner && readProcess(runner.pid)
  return found && found.startTime === runner.startTime ? [found] : []
}

async function runsAlive(runs: string): Promise<string[]> {
  const found = new Set<string>()
  for (const { runDir, runId, owned } of taggedProcesses())
    if (runDir === join(runs, runId) && !owned) found.add(runId)
  for (const name of await namesIn(runs)) {
    if (name.startsWith('.')) continue
    const runner = await readRunnerFile(join(runs, name))
    if (runner && isAlive(runner)) found.add(name)
  }
  return [...found]
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw error
  }
}

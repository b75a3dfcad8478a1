import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { processEnv } from '../config/config.ts'
import { freePort } from '../config/ports.ts'
import { commandLine, endProcess } from '../config/process-table.ts'
import { connectTemporal } from './connection.ts'
import {
  databaseFile,
  fileIsMade,
  forgetState,
  lastUsedVersion,
  readState,
  removeHalfMade,
  type ServerState,
  writeState,
} from './dev-server-files.ts'
import type { TemporalBinary } from './find-temporal.ts'

export interface DevServerOptions {
  /** Holds the SQLite file and `dev-server.json`. */
  dir: string
  binary: TemporalBinary
  logFile: string
  log: Pick<Logger, 'info'>
  /** Lines for people: what will not be as they expect. */
  say: (line: string) => void
  /** Wanted gRPC port; the next free one is taken. Default: any. */
  port?: number
  /** Wanted port of Temporal's UI. Without it the server runs headless. */
  uiPort?: number
  /** Gives the start up; what it has started until then is ended, and one that was left is not waited for. */
  signal?: AbortSignal
}

export interface RunningTemporal {
  address: string
  /** Undefined when headless. */
  uiUrl: string | undefined
  pid: number
  version: string
  adopted: boolean
  stop(): Promise<void>
  /** Resolves with a reason when the server is gone, wanted or not. */
  exited: Promise<string>
}

const START_MS = 30_000
const PORT_TRIES = 5
const LISTENS = '0A'

/**
 * What was measured on start-dev: it reads each transfer queue 20 times a second unless told otherwise, so every
 * hop waits 50 ms; WAL with synchronous=FULL still makes every commit durable.
 */
const TUNING = [
  ...['transfer', 'timer', 'visibility'].flatMap((queue) => [
    '--dynamic-config-value',
    `history.${queue}ProcessorMaxPollRPS=1000`,
  ]),
  ...['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=FULL'],
]

/**
 * Starts the Temporal dev server on the home's file, or adopts the one that still runs there. The file belongs to
 * one CLI version (the server never migrates it), so another version than before gets another file, which is said.
 */
export async function startDevServer(options: DevServerOptions): Promise<RunningTemporal> {
  mkdirSync(options.dir, { recursive: true, mode: 0o700 })
  options.signal?.throwIfAborted()
  const leftover = await Promise.race([adoptLeftover(options), untilGivenUp(options.signal)])
  if (leftover) return leftover

  sayIfGoalsAreElsewhere(options)
  const { child, state } = await onFreePorts(options)
  const exited = new Promise<string>((resolve) => {
    if (hasEnded(child)) resolve(ending(child))
    child.once('exit', () => resolve(ending(child)))
  })
  const stop = async () => {
    child.ref() // or Node might end before it does
    await endServer(state.pid, 10_000)
    await exited
    forgetState(options.dir)
  }
  return { ...describe(state), adopted: false, exited, stop }
}

/** A port that was free may be taken when the server asks for it, by the server of another home say: then by another port. */
async function onFreePorts(options: DevServerOptions) {
  for (let tries = 1; ; tries += 1) {
    const port = await freePort(options.port)
    const uiPort = options.uiPort === undefined ? undefined : await freePort(options.uiPort)
    const { version } = options.binary
    options.signal?.throwIfAborted()
    removeHalfMade(options.dir, version)
    const child = spawnServer(options, { port, uiPort })
    const state: ServerState = { pid: child.pid ?? 0, port, uiPort: uiPort ?? null, version }
    // before it is healthy: whoever comes after a kill meanwhile must find it, and not start a second one on its file
    writeState(options.dir, state)
    try {
      await Promise.race([healthy(child, port, options.logFile), untilGivenUp(options.signal)])
      fileIsMade(options.dir, version)
      return { child, state }
    } catch (error) {
      const endedItself = hasEnded(child)
      // asked to end it would come up first; what it has written is safe, and nobody has used it yet
      await endServer(child.pid, options.signal?.aborted ? 0 : 5_000)
      forgetState(options.dir)
      const isTaken = (await isOpen(port)) || (await isOpen(uiPort))
      if (!endedItself || !isTaken || tries === PORT_TRIES) throw error
      options.log.info({ port, uiPort }, 'the port of Temporal was taken meanwhile')
    }
  }
}

function sayIfGoalsAreElsewhere({ dir, binary, say }: DevServerOptions): void {
  const last = lastUsedVersion(dir)
  if (last === undefined || last === binary.version) return
  say(
    `Temporal is ${binary.version} now (${binary.path}) and does not know the goals that ran with ${last}, whose file it cannot read and leaves alone. ` +
      `To go on with them start with temporal ${last} on the PATH; else "dispatch doctor --repair" begins them again.`,
  )
}

async function adoptLeftover(options: DevServerOptions): Promise<RunningTemporal | undefined> {
  const state = readState(options.dir)
  if (!state) return undefined
  // also one of another version: it is the one that knows the goals
  const file = databaseFile(options.dir, state.version)
  const ours = () => commandLine(state.pid)?.includes(file) ?? false
  if (!ours()) return undefined
  const wantsUi = options.uiPort !== undefined
  if (wantsUi !== (state.uiPort !== null) || !(await answers(state.port, 3_000))) {
    options.say(
      `a Temporal server that was left running (pid ${state.pid}) is unfit or does not answer: it is ended`,
    )
    await endServer(state.pid, 5_000)
    return undefined
  }
  fileIsMade(options.dir, state.version)
  options.log.info({ pid: state.pid }, 'adopted the Temporal that was left running')
  const stopped = new AbortController()
  const exited = (async () => {
    // not our child, so there is no event; the watch alone must not keep a process alive
    while (ours() && !stopped.signal.aborted) {
      await delay(500, undefined, { ref: false, signal: stopped.signal }).catch(() => undefined)
    }
    return `the adopted Temporal ${state.pid} ended`
  })()
  const stop = async () => {
    if (ours()) await endServer(state.pid, 10_000)
    stopped.abort()
    forgetState(options.dir)
  }
  return { ...describe(state), adopted: true, exited, stop }
}

function spawnServer(
  options: DevServerOptions,
  ports: { port: number; uiPort: number | undefined },
): ChildProcess {
  const ui =
    ports.uiPort === undefined
      ? ['--headless']
      : ['--ui-port', String(ports.uiPort), '--ui-disable-news-fetch']
  const args = [
    ...[
      'server',
      'start-dev',
      '--ip',
      '127.0.0.1',
      '--port',
      String(ports.port),
      '--db-filename',
      databaseFile(options.dir, options.binary.version),
    ],
    ...['--log-level', 'warn', '--log-format', 'json', ...ui, ...TUNING],
  ]
  const out = openSync(options.logFile, 'a', 0o600)
  // detached: Ctrl-C in the terminal is the supervisor's to handle, and a killed supervisor leaves it to be adopted
  const child = spawn(options.binary.path, args, {
    ...{ detached: true, stdio: ['ignore', out, out] },
    env: environment(),
  })
  closeSync(out)
  child.unref()
  return child
}

/** Without what the person tells their own Temporal: the program reads its options from there too, TEMPORAL_ENV for one. */
const environment = () =>
  Object.fromEntries(Object.entries(processEnv()).filter(([name]) => !name.startsWith('TEMPORAL_')))

async function healthy(child: ChildProcess, port: number, logFile: string) {
  let failure: string | undefined
  child.once('error', (error) => {
    failure = error.message
  })
  const deadline = performance.now() + START_MS
  // gRPC waits a second after a refused connection, so the port comes first
  while (!(await isOpen(port)) || !listensOn(child.pid, port) || !(await answers(port, 1_000))) {
    if (hasEnded(child)) failure ??= ending(child)
    if (failure === undefined && performance.now() > deadline)
      failure = `no answer on port ${port} within ${START_MS / 1000} s`
    if (failure !== undefined) throw notStarted(failure, logFile)
    await delay(10)
  }
  // where nobody tells who listens, it may have been another one
  if (hasEnded(child)) throw notStarted(ending(child), logFile)
}

/** Rejects when it aborts: an attempt to connect takes its time. */
function untilGivenUp(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason))
  })
}

const notStarted = (failure: string, logFile: string) =>
  new Error(`Temporal did not start: ${failure}\n${lastLines(logFile)}`)

/** Ends it with whoever is left of its group: the program on the PATH may be a script that does not end the server it started. */
async function endServer(leader: number | undefined, graceMs: number): Promise<void> {
  if (!leader) return
  await endProcess(leader, graceMs)
  try {
    process.kill(-leader, 'SIGKILL')
  } catch (error) {
    // nobody is left; where only those are who nobody waited for yet, macOS says EPERM
    if (!['ESRCH', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

/** Whether it is this server that listens there, as far as the system tells. */
function listensOn(leader: number | undefined, port: number): boolean {
  const sockets = socketsOf(port)
  if (!sockets) return true
  // of its group: the program on the PATH may be a script that starts it
  return groupOf(leader).some((pid) => holds(pid, sockets))
}

function groupOf(leader: number | undefined): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && processGroup(pid) === leader)
}

/** The group is the third field after the name, which may hold anything, proc(5). */
function processGroup(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
  } catch {
    return undefined // it has just ended
  }
}

function holds(pid: number, sockets: readonly string[]): boolean {
  const fds = `/proc/${pid}/fd`
  try {
    return readdirSync(fds).some((fd) => sockets.includes(linkOf(join(fds, fd))))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' // not for us to know
  }
}

/** Names of the sockets that listen there, as proc(5) has them; undefined where there is no such table. */
function socketsOf(port: number): string[] | undefined {
  try {
    const end = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
    return readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, local, , state]) => local?.endsWith(end) && state === LISTENS)
      .map((columns) => `socket:[${columns[9]}]`)
  } catch {
    return undefined
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return '' // closed meanwhile
  }
}

async function isOpen(port: number | undefined): Promise<boolean> {
  if (port === undefined) return false
  return new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    const settle = (open: boolean) => {
      socket.destroy()
      resolve(open)
    }
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}

/** A gRPC health check, not just an open port: the port opens before the namespace can be used. */
async function answers(port: number, timeoutMs: number): Promise<boolean> {
  try {
    const connection = await connectTemporal({
      address: `127.0.0.1:${port}`,
      connectTimeoutMs: timeoutMs,
    })
    try {
      await connection.withDeadline(Date.now() + timeoutMs, () =>
        connection.workflowService.describeNamespace({ namespace: 'default' }),
      )
      return true
    } finally {
      await connection.close()
    }
  } catch {
    return false // every failure means "not yet"; the caller bounds the time and reads the server's log
  }
}

const describe = (state: ServerState) => ({
  address: `127.0.0.1:${state.port}`,
  uiUrl: state.uiPort === null ? undefined : `http://127.0.0.1:${state.uiPort}`,
  pid: state.pid,
  version: state.version,
})

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

const ending = (child: ChildProcess) =>
  child.signalCode ? `it was ended by ${child.signalCode}` : `it exited with ${child.exitCode}`

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').slice(-8).join('\n')
}

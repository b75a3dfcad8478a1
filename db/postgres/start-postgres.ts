import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import type { Logger } from 'pino'
import {
  type PostgresBinaries,
  postgresBinaries,
  type Unprivileged,
  unprivileged,
} from './binaries.ts'

export interface PostgresOptions {
  /** Holds `data/` and `password`; created when missing. */
  dir: string
  /** Folder of the Unix socket; its path may have at most 80 bytes. Created 0700 when missing. */
  socketDir: string
  logFile: string
  log: Pick<Logger, 'info' | 'warn'>
  /** The command line of a pid, undefined when it does not run. */
  commandLine: (pid: number) => string | undefined
  /** More `-c` settings, such as `fsync=off` for a throw-away database. */
  settings?: string[]
  /** Gives the start up; what it has started until then is ended. */
  signal?: AbortSignal
}

export interface RunningPostgres {
  /** Connection string over the Unix socket, with the password: never log it. */
  url: string
  pid: number
  version: string
  /** True when a server that was left from before was taken over. */
  adopted: boolean
  /** Smart enough for a hurry: open transactions are rolled back, then it ends. */
  stop(): Promise<void>
  /** Resolves with a reason when the server is gone, wanted or not. */
  exited: Promise<string>
}

const SETTINGS = [
  'shared_buffers=32MB',
  'max_connections=60',
  'io_method=sync',
  'jit=off',
  'max_wal_size=256MB',
]
const USER = 'dispatch'
const DATABASE = 'dispatch'
/** Nothing of ours: PGPORT and its kin would change the server, a locale would change sort order. */
const ENV = { LC_ALL: 'C', TZ: 'UTC', PATH: '/usr/local/bin:/usr/bin:/bin' }
const PORT = 5432
/** Nor do those who connect take anything from there: what a URL leaves open, PGPORT, PGSSLMODE or PGOPTIONS say. */
const FIXED =
  'sslmode=disable&sslnegotiation=postgres&client_encoding=UTF8&options=-cTimeZone%3DUTC'
const INITDB_MS = 120_000
const START_MS = 60_000
const REAP_MS = 10_000
const STOP_MS = 10_000

/**
 * Starts the embedded Postgres of one home, or adopts the one that still runs there. Creates cluster and database
 * when missing. Throws with what to do: other major version, not startable, foreign process; what it started has ended then.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const binaries = postgresBinaries()
  const data = join(options.dir, 'data')
  const as = unprivileged()
  refuseOtherMajor(data, binaries)
  for (const dir of [options.dir, options.socketDir]) privateDir(dir, as)
  const password = await initCluster({ ...options, data, binaries, as })
  const socket = encodeURIComponent(options.socketDir)
  const url = `postgresql://${USER}:${password}@localhost:${PORT}/${DATABASE}?host=${socket}&${FIXED}`

  const leftover = await leftoverPid(data, url, options)
  if (leftover) {
    await createDatabase(url)
    options.log.info({ pid: leftover }, 'adopted the Postgres that was left running')
    return adopted(leftover, {
      url,
      version: binaries.version,
      commandLine: options.commandLine,
      data,
    })
  }
  const child = spawnServer(options, { data, binaries, as })
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', () => resolve(ending(child)))
  })
  const stop = async () => {
    child.ref() // or Node might end before it does
    child.kill('SIGINT')
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await exited
    clearTimeout(late)
  }
  try {
    await ready(exited, url, options)
    await createDatabase(url)
    options.signal?.throwIfAborted()
  } catch (error) {
    await stop()
    throw error
  }
  return { url, pid: child.pid as number, version: binaries.version, adopted: false, stop, exited }
}

interface Cluster {
  data: string
  binaries: PostgresBinaries
  as: Unprivileged
}

function refuseOtherMajor(data: string, { version }: PostgresBinaries) {
  const file = join(data, 'PG_VERSION')
  if (!existsSync(file)) return
  const have = readFileSync(file, 'utf8').trim()
  const want = version.split('.')[0]
  if (have === want) return
  throw new Error(
    `${data} was made by Postgres ${have}, this Dispatch brings Postgres ${want}: go back to the Dispatch that made it and export, or move the folder away to start empty`,
  )
}

function privateDir(dir: string, as: Unprivileged) {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  chmodSync(dir, 0o700) // fails when somebody else owns it, which is what we want
  if (as.owner !== undefined) chownSync(dir, as.owner, as.owner)
}

/** Runs initdb once and returns the superuser's password. A cluster that initdb did not finish is made again. */
async function initCluster({
  dir,
  data,
  binaries,
  as,
  signal,
}: PostgresOptions & Cluster): Promise<string> {
  const passwordFile = join(dir, 'password')
  if (existsSync(join(dir, 'initialised'))) return readFileSync(passwordFile, 'utf8').trim()
  rmSync(data, { recursive: true, force: true })
  const password = randomBytes(24).toString('hex')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  const [command = '', ...args] = [
    ...[...as.prefix, binaries.initdb, '-D', data, '-U', USER, `--pwfile=${passwordFile}`],
    ...['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--no-instructions'],
  ]
  const failure = await failureOf(command, args, signal)
  signal?.throwIfAborted()
  if (failure !== undefined) throw new Error(`initdb failed in ${data}: ${failure}`)
  writeFileSync(join(dir, 'initialised'), `${binaries.version}\n`, { mode: 0o600 })
  return password
}

/** Runs it to its end, beside other work; undefined when it succeeded. Given up or late, it is killed with what it has started. */
async function failureOf(command: string, args: readonly string[], signal?: AbortSignal) {
  signal?.throwIfAborted()
  // a group of its own: asked to end, initdb goes on until the server that it has started is done
  const stdio = ['ignore', 'ignore', 'pipe'] as const
  const child = spawn(command, args, { detached: true, env: ENV, stdio: [...stdio] })
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  let isLate = false
  const kill = () => {
    if (child.pid !== undefined && !hasEnded(child)) process.kill(-child.pid, 'SIGKILL')
  }
  const timer = setTimeout(() => {
    isLate = true
    kill()
  }, INITDB_MS)
  signal?.addEventListener('abort', kill)
  try {
    await once(child, 'close')
    if (isLate) return `it had not ended within ${INITDB_MS / 1000} s`
    return child.exitCode === 0 ? undefined : stderr.trim() || ending(child)
  } catch (error) {
    return (error as Error).message
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', kill)
  }
}

const pidFile = (data: string) => join(data, 'postmaster.pid')

/** The pid that the server on `data` wrote down, negative for that of initdb; undefined where none did, or it has ended by now. */
export function postmasterPid(data: string): number | undefined {
  try {
    return Number.parseInt(readFileSync(pidFile(data), 'utf8'), 10)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return undefined
  }
}

/**
 * The pid of a server of ours that still runs on `data`. A postmaster.pid whose pid now belongs to somebody else is
 * removed, because Postgres itself would refuse to start.
 */
async function leftoverPid(data: string, url: string, { commandLine, signal }: PostgresOptions) {
  const file = pidFile(data)
  const pid = postmasterPid(data)
  if (pid === undefined) return undefined
  const command = pid > 0 ? commandLine(pid) : undefined
  if (command === undefined) {
    if (pid > 0 && !(await reaped(pid, signal))) rmSync(file, { force: true })
    return undefined
  }
  if (!command.includes(data)) {
    rmSync(file, { force: true })
    return undefined
  }
  const deadline = performance.now() + START_MS
  while (commandLine(pid) !== undefined) {
    if (await answers(url)) return pid
    signal?.throwIfAborted()
    if (performance.now() > deadline)
      throw new Error(
        `Postgres ${pid} runs on ${data} but does not answer: end it (kill -INT ${pid}) and start again`,
      )
    await delay(50)
  }
  return undefined
}

/**
 * A dead server whose parent died too keeps its pid until init reaps it, and Postgres takes any pid that answers for a
 * running server. False when nobody reaps it (some containers have no init); its backends have ended by then.
 */
async function reaped(pid: number, signal?: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + REAP_MS
  while (pidIsTaken(pid)) {
    if (performance.now() > deadline) return false
    await delay(20, undefined, { signal })
  }
  return true
}

function pidIsTaken(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function adopted(
  pid: number,
  {
    url,
    version,
    commandLine,
    data,
  }: { url: string; version: string; commandLine: PostgresOptions['commandLine']; data: string },
): RunningPostgres {
  const runs = () => commandLine(pid)?.includes(data) ?? false
  const stopped = new AbortController()
  const exited = (async () => {
    // not our child, so there is no event; the watch alone must not keep a process alive
    while (runs() && !stopped.signal.aborted) {
      await delay(500, undefined, { ref: false, signal: stopped.signal }).catch(() => undefined)
    }
    return `the adopted Postgres ${pid} ended`
  })()
  const stop = async () => {
    if (runs()) process.kill(pid, 'SIGINT')
    while (runs()) await delay(20)
    stopped.abort()
  }
  return { url, pid, version, adopted: true, stop, exited }
}

/** Detached: Ctrl-C in the terminal is the supervisor's to handle, and a killed supervisor does not take the data down. */
function spawnServer(options: PostgresOptions, { data, binaries, as }: Cluster): ChildProcess {
  const settings = [
    ...['listen_addresses=', `unix_socket_directories=${options.socketDir}`, `port=${PORT}`],
    'password_encryption=scram-sha-256',
    ...SETTINGS,
    ...(options.settings ?? []),
  ]
  const [command = '', ...args] = [
    ...as.prefix,
    binaries.postgres,
    '-D',
    data,
    ...settings.flatMap((s) => ['-c', s]),
  ]
  const out = openSync(options.logFile, 'a', 0o600)
  const child = spawn(command, args, { detached: true, stdio: ['ignore', out, out], env: ENV })
  closeSync(out)
  child.unref()
  return child
}

async function ready(
  exited: Promise<string>,
  url: string,
  { logFile, signal }: PostgresOptions,
): Promise<void> {
  let failure: string | undefined
  void exited.then((reason) => {
    failure = reason
  })
  const deadline = performance.now() + START_MS
  while (!(await answers(url))) {
    signal?.throwIfAborted()
    if (failure === undefined && performance.now() > deadline)
      failure = `it did not answer within ${START_MS / 1000} s`
    if (failure !== undefined)
      throw new Error(`Postgres did not start: ${failure}\n${lastLines(logFile)}`)
    await delay(20)
  }
}

async function answers(url: string): Promise<boolean> {
  const client = admin(url)
  client.on('error', () => undefined) // a server that goes away mid-probe simply does not answer
  try {
    await client.connect()
    return true
  } catch (error) {
    const code = (error as { code?: string }).code ?? ''
    // refused, no socket yet, reset, or "the database system is starting up / shutting down"
    if (['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE', '57P03'].includes(code)) return false
    if (/terminated|timeout/i.test((error as Error).message)) return false
    throw error
  } finally {
    await client.end().catch(() => undefined)
  }
}

async function createDatabase(url: string) {
  const client = admin(url)
  await client.connect()
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE])
    if (found.rowCount === 0) await client.query(`create database ${DATABASE}`)
  } finally {
    await client.end()
  }
}

const admin = (url: string) =>
  new pg.Client({
    connectionString: url.replace(`/${DATABASE}?`, '/postgres?'),
    connectionTimeoutMillis: 5_000,
    query_timeout: START_MS,
  })

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

const ending = (child: ChildProcess) =>
  child.signalCode ? `it was ended by ${child.signalCode}` : `it exited with ${child.exitCode}`

function lastLines(file: string): string {
  return readFileSync(file, 'utf8').trim().split('\n').slice(-8).join('\n')
}

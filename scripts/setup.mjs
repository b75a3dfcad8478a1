// Gets a fresh clone ready: packages, then dist/. Plain JavaScript without packages, because it runs before there are any.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { withLock } from './lock.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stampFile = join(root, 'node_modules', '.dispatch-lockfile')

/** A step that failed for a reason that the person can do something about. */
export class SetupError extends Error {}

/**
 * Makes sure that packages are installed as the lockfile says and that dist/ is built. Says only what it does, with
 * seconds. Some tens of milliseconds when nothing is to do; two at once wait for each other. Throws SetupError.
 */
export async function setup({ parts, log = (line) => process.stderr.write(`${line}\n`) } = {}) {
  requireNode()
  requireGit()
  if (!installed()) {
    await withLock(join(root, '.dispatch', 'setup.lock'), async () => {
      if (!installed()) await timed('installing packages (npm ci)', log, installPackages)
    })
  }
  const { isStale } = await import('./build.mjs')
  if (!isStale(parts)) return
  // a process of its own: bundlers would leave hundreds of megabytes with one that runs on for days
  const code = await exitOf(process.execPath, [join(root, 'scripts', 'build.mjs'), ...(parts ?? [])])
  if (code !== 0) throw new SetupError(`dist/ could not be built (${code}); the reason stands above`)
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  throw new SetupError(`Dispatch needs Node 20.19 or newer, this is ${process.versions.node}: install a newer one (https://nodejs.org)`)
}

function requireGit() {
  if (spawnSync('git', ['--version'], { stdio: 'ignore' }).status === 0) return
  throw new SetupError('Dispatch needs git: install it (Debian: apt-get install git; macOS: xcode-select --install)')
}

function installed() {
  const lockfile = readFileSync(join(root, 'package-lock.json'))
  const hash = createHash('sha256').update(lockfile).digest('hex')
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === hash) return true
  if (!matches(JSON.parse(lockfile))) return false
  writeFileSync(stampFile, hash)
  return true
}

/** npm's own record of what it installed, against the lockfile. Packages of other platforms are rightly missing. */
function matches({ packages }) {
  const record = join(root, 'node_modules', '.package-lock.json')
  if (!existsSync(record)) return false
  const have = JSON.parse(readFileSync(record, 'utf8')).packages
  return Object.entries(packages).every(([path, { version, optional, devOptional, peer }]) => {
    if (path === '' || have[path]?.version === version) return true
    return have[path] === undefined && Boolean(optional || devOptional || peer)
  })
}

async function installPackages() {
  // also where NODE_ENV=production or the person's npm leaves them out: it is built from them
  const all = ['--include=dev', '--include=optional']
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...all]
  const code = await exitOf('npm', args, { shell: process.platform === 'win32' })
  if (code !== 0) throw new SetupError(`"npm ci" failed (${code}); its reason stands above`)
  if (!installed()) throw new SetupError('"npm ci" left packages out: look at "npm config list", and try again')
}

/** The exit code of a program that prints to stderr, its signal, or why it did not start. */
function exitOf(command, args, options = {}) {
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 2, 2], ...options })
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (status, signal) => resolve(status ?? signal))
  })
}

async function timed(what, log, work) {
  log(`${what} ...`)
  const started = performance.now()
  await work()
  log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`)
}

import { type ChildProcess, spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type HomePaths, homePaths, shortSocketDir } from '../../config/home.ts'
import { commandLine } from '../../config/process-table.ts'
import { askedToStop } from '../asked-to-stop.ts'
import { createDeps } from '../deps.ts'
import { CliFailure, EXIT } from '../failure.ts'
import type { Io } from '../io.ts'
import { temporaryFolder } from '../temporary-folder.ts'
import type { DemoAgent } from './demo-agent.ts'
import { endDemoServer, startDemoServer } from './demo-server.ts'
import { playDemo } from './play-demo.ts'

export interface DemoOptions {
  agent: DemoAgent
  kill: boolean
  keep: boolean
  env: Record<string, string | undefined>
  cwd: string | undefined
  /** Aborts on Ctrl-C. */
  signal: AbortSignal
}

const PREFIX = 'dispatch-demo-'
const KEPT = 'kept'
/** Far more than it takes: a demo that hangs must say so. A real model takes its time. */
const LONGEST_MS = { demo: 300_000, claude: 3_600_000 } as const satisfies Record<DemoAgent, number>

/**
 * `dispatch demo`: everything on free ports and in a temporary folder, one goal from keyboard to merge. Ends what it started and
 * removes its folder, whatever happens, unless the last review is kept for the person.
 * Exit codes: 0 merged and the tests pass (or kept), 1 not so, 130 Ctrl-C, 143 SIGTERM.
 */
export async function runDemo(options: DemoOptions, io: Io): Promise<number> {
  process.umask(0o077)
  const env = cleanEnvironment(options.env)
  requireGit(env)
  const longestMs = LONGEST_MS[options.agent]
  const folder = temporaryFolder(`${PREFIX}${process.pid}-`)
  await endKilledDemos()
  const home = homePaths(join(folder, 'home'))
  mkdirSync(home.root, { mode: 0o700 })
  const interrupted = askedToStop(options.signal)
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(longestMs)])
  let child: ChildProcess | undefined
  let kept = false
  try {
    const started = performance.now()
    io.print(`Everything of this demo is in ${folder}`)
    io.print('Starting Postgres, Temporal, worker and API on free ports ...')
    const server = await startDemoServer({
      home: home.root,
      env,
      signal,
      onProcess: (spawned) => {
        child = spawned
      },
      onLine: (line) => io.print(`  ${line}`),
    })
    io.print(`Ready in ${((performance.now() - started) / 1000).toFixed(1)} s: ${server.url}`)
    const deps = createDeps({
      env,
      cwd: options.cwd,
      signal,
      flags: { home: undefined, url: server.url },
      note: io.note,
    })
    const outcome = await playDemo({ ...options, folder, home, env, server, deps, io })
    if (outcome !== 'kept') return outcome
    writeFileSync(join(folder, KEPT), '')
    server.leave()
    kept = true
    return EXIT.ok
  } catch (error) {
    if (interrupted.aborted) return interrupted.reason.exitCode
    if (error instanceof CliFailure) throw error
    const late = signal.aborted ? `the demo did not end within ${longestMs / 60_000} minutes` : ''
    throw new Error(late || (error as Error).message, { cause: error })
  } finally {
    if (!kept) {
      if (interrupted.aborted) io.note('Interrupted: ending what the demo started ...')
      await endDemoServer(home, child)
      removeFolder(folder, home)
      io.note(`Ended its processes and removed ${folder}`)
    }
  }
}

/** Before minutes are spent on the start of servers that would be of no use. */
function requireGit(env: DemoOptions['env']) {
  if (spawnSync('git', ['--version'], { env }).status === 0) return
  throw new CliFailure(
    'error',
    'no_git',
    'The demo needs git, which is not installed.',
    'Install git 2.38 or newer, then try again.',
  )
}

/** A person's own database, server or repository must not become part of a demo. */
function cleanEnvironment(env: DemoOptions['env']): DemoOptions['env'] {
  const isForeign = /^(DISPATCH_|TEMPORAL_|GIT_|PG|DATABASE_URL$|NODE_TEST_CONTEXT$)/
  return Object.fromEntries(Object.entries(env).filter(([name]) => !isForeign.test(name)))
}

/** A demo that was killed could not clean up. Its pid is in the name of its folder; kept ones are left alone. */
async function endKilledDemos() {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const pid = Number(name.slice(PREFIX.length).split('-')[0])
    const folder = join(tmpdir(), name)
    if (!(pid > 0) || commandLine(pid) !== undefined) continue
    if (statSync(folder, { throwIfNoEntry: false })?.uid !== process.getuid?.()) continue
    if (statSync(join(folder, KEPT), { throwIfNoEntry: false })) continue
    const home = homePaths(join(folder, 'home'))
    const { stopCommand } = await import('../supervisor/stop-command.ts')
    await stopCommand({ home: home.root }, { out: () => undefined, err: () => undefined }).catch(
      () => undefined, // the rest is ended all the same
    )
    await endDemoServer(home, undefined)
    removeFolder(folder, home)
  }
}

function removeFolder(folder: string, home: HomePaths) {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  rmSync(shortSocketDir(home.root), { recursive: true, force: true })
}

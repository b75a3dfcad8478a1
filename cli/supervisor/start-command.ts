import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { processConfig, processEnv } from '../../config/config.ts'
import { diskWarning } from '../../config/disk.ts'
import { createHome, requireOwn, requireOwner } from '../../config/home.ts'
import { createLogger } from '../../config/log.ts'
import type { Reply } from '../../contracts/api.ts'
import type { AdapterInfo } from '../../contracts/schemas.ts'
import { type AskedToStop, askedToStop } from '../asked-to-stop.ts'
import { CliFailure, EXIT } from '../failure.ts'
import { nameWithVersion } from '../who-works.ts'
import { keepBallast } from './ballast.ts'
import { type Stack, startStack } from './stack.ts'
import { aborted } from './supervise.ts'

export interface StartCommandOptions {
  home?: string
  port?: string
  temporalPort?: string
  /** False: the API does not serve the web UI. */
  ui?: boolean
  /** Undefined where the folder that one is in was deleted. */
  cwd: string | undefined
}

/** Where lines for people go. */
export interface Say {
  out(line: string): void
  err(line: string): void
}

/**
 * `dispatch start`: runs until Ctrl-C, which `interrupted` tells of, or SIGTERM. Returns the exit code: 0, or when it was asked to
 * stop before all had started 128 and the number of the signal. What it throws has its exit code: 1 a part did not start, 69
 * nothing answers as the Postgres or Temporal that the person named, 75 the home is in use, 78 wrong configuration, a home that cannot be one, a database of a newer version, or another system than Linux.
 */
export async function startCommand(
  options: StartCommandOptions,
  say: Say,
  interrupted: AbortSignal,
): Promise<number> {
  let stack: Stack
  let endBallast: (() => void) | undefined
  const asked = askedToStop(interrupted)
  const by = () => (asked.reason as AskedToStop).by
  const giveUp = () => say.out(`giving up the start (${by()}): ending what runs by now ...`)
  asked.addEventListener('abort', giveUp)
  try {
    const { config, env } = openHome(options)
    const log = await createLogger({
      service: 'supervisor',
      level: config.logLevel,
      dir: config.home.logs,
    })
    const warning = diskWarning(config.home.root, config.minFreeMb)
    if (warning) say.err(warning)
    const tell = (line: string) => {
      log.info(line)
      say.out(line)
    }
    endBallast = keepBallast({ file: config.home.ballastFile, say: tell })
    stack = await startStack({
      config,
      env,
      log,
      say: tell,
      signal: asked,
      ui: options.ui !== false,
    })
  } catch (error) {
    endBallast?.()
    if (!asked.aborted) throw error
    say.out(
      'given up: what this start had begun is ended, nothing is lost, and the next start begins again',
    )
    return asked.reason.exitCode
  }
  asked.removeEventListener('abort', giveUp)
  // who asked meanwhile wants no summary
  const lines = await Promise.race([summary(stack), aborted(asked).then(() => [])])
  for (const line of lines) say.out(line)
  await aborted(asked)
  say.out(`stopping (${by()}) ...`)
  endBallast?.()
  await stack.stop()
  say.out('stopped; running agents go on and are picked up by the next start')
  return EXIT.ok
}

/** The home for our servers, and what they inherit. Throws as `startCommand` does. */
export function openHome(options: Omit<StartCommandOptions, 'ui'>) {
  refuseOtherSystems()
  const umask = process.umask(0o077) // the home is private, a person's repository is not ours to close
  const config = processConfig(options)
  requireOwn(config.home)
  requireOwner(config.home)
  createHome(config.home.root)
  // nothing that is started in a folder that is gone comes up
  if (options.cwd === undefined) process.chdir(config.home.root)
  const env = { ...processEnv(), DISPATCH_UMASK: (config.umask ?? umask).toString(8) }
  return { config, env }
}

/** Elsewhere no run of an agent would come to its end, and a git at work would be taken for dead. */
function refuseOtherSystems(): void {
  if (existsSync('/proc/self/stat')) return
  throw new CliFailure(
    'configuration',
    'unsupported_system',
    `Dispatch asks Linux's /proc which processes live, and this system (${process.platform}) has none.`,
    'Start it on Linux: a virtual machine will do, or a container with /proc.',
  )
}

async function summary(stack: Stack): Promise<string[]> {
  const { postgres, temporal } = stack.versions
  return [
    `  web UI     ${stack.url}`,
    ...(stack.temporalUi ? [`  Temporal   ${stack.temporalUi}`] : []),
    `  metrics    ${stack.url}/metrics and ${stack.workerMetrics}`,
    `  found      ${gitVersion()}; Temporal ${temporal}; Postgres ${postgres}`,
    `  agents     ${await agents(stack.url)}`,
    'Ctrl-C stops it.',
  ]
}

function gitVersion(): string {
  try {
    return execFileSync('git', ['--version'], { encoding: 'utf8' }).trim()
  } catch {
    return 'no git (install it: nothing can be merged without)'
  }
}

/** Names of the agents that can run, as the API sees them. */
async function agents(url: string): Promise<string> {
  try {
    const reply = await fetch(`${url}/api/adapters`, { signal: AbortSignal.timeout(10_000) })
    if (!reply.ok) return `not known yet (the API answered ${reply.status})`
    const { items } = (await reply.json()) as Reply<'listAdapters'>
    return describeAgents(items)
  } catch (error) {
    return `not known yet (${(error as Error).message})`
  }
}

function describeAgents(agents: readonly AdapterInfo[]): string {
  const found = agents.filter((agent) => agent.found)
  const names = found.map(nameWithVersion)
  const none = found.every(({ demo }) => demo)
  return [...names, ...(none ? ['no other found'] : [])].join(', ')
}

import { execFileSync } from 'node:child_process'
import { processConfig, processEnv } from '../../config/config.ts'
import { diskWarning } from '../../config/disk.ts'
import { createHome } from '../../config/home.ts'
import { createLogger } from '../../config/log.ts'
import type { Reply } from '../../contracts/api.ts'
import type { AdapterInfo } from '../../contracts/schemas.ts'
import { nameWithVersion } from '../who-works.ts'
import { keepBallast } from './ballast.ts'
import { type Stack, startStack } from './stack.ts'

export interface StartCommandOptions {
  home?: string
  port?: string
  temporalPort?: string
  /** False: the API does not serve the web UI. */
  ui?: boolean
}

/** Where lines for people go. */
export interface Say {
  out(line: string): void
  err(line: string): void
}

/**
 * `dispatch start`: runs until Ctrl-C or SIGTERM. What it throws has its exit code: 1 a part did not start, 75 the home is
 * in use, 78 wrong configuration, a home that cannot be one, or a database of a newer version.
 */
export async function startCommand(options: StartCommandOptions, say: Say): Promise<void> {
  const umask = process.umask(0o077) // the home is private, a person's repository is not ours to close
  let stack: Stack
  let endBallast: (() => void) | undefined
  let starting = true
  const wanted = untilAskedToStop()
  void wanted.then((signal) => {
    if (starting) say.out(`stopping (${signal}) once it has started ...`)
  })
  try {
    const config = processConfig(options)
    createHome(config.home.root)
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
      env: { ...processEnv(), DISPATCH_UMASK: (config.umask ?? umask).toString(8) },
      log,
      say: tell,
      ui: options.ui !== false,
    })
  } catch (error) {
    endBallast?.()
    throw error
  }
  starting = false
  // who asked meanwhile wants no summary
  const lines = await Promise.race([summary(stack), wanted.then(() => [])])
  for (const line of lines) say.out(line)
  say.out(`stopping (${await wanted}) ...`)
  endBallast?.()
  await stack.stop()
  say.out('stopped; running agents go on and are picked up by the next start')
}

/** Resolves with the first signal. A second Ctrl-C ends the process at once (main.ts). */
function untilAskedToStop(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    // more of the same changes nothing: a terminal that closes hangs up twice, by its shell too, and "dispatch stop" may be repeated
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
      process.on(signal, () => resolve(signal))
  })
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

import { defaultHome, type HomePaths, homePaths, requireFolder } from '../config/home.ts'
import { processStart } from '../config/process-table.ts'
import { CliFailure, notRunning } from './failure.ts'
import { lockHolder } from './supervisor/lock.ts'
import { readServerFile, type ServerFile } from './supervisor/server-file.ts'

type Env = Record<string, string | undefined>

/** The home that the command line or the environment names. `--home` wins over DISPATCH_HOME over `~/.dispatch`. */
export function findHome(env: Env, flag: string | undefined): HomePaths {
  const named = flag || env['DISPATCH_HOME']
  if (!named && !env['HOME'])
    throw configFailure(
      'HOME is not set, so there is no ~/.dispatch.',
      'Set HOME or DISPATCH_HOME.',
    )
  const home = homePaths(named || defaultHome())
  requireFolder(home.root)
  return home
}

export interface FoundServer {
  url: string
  /** The supervisor that wrote `server.json`; undefined when a person named the address. */
  supervisor: Pick<ServerFile, 'pid' | 'start'> | undefined
  /** Process of the API itself, where that supervisor told. */
  api?: number | undefined
}

/** Where the API listens: `--url`, DISPATCH_URL, else `server.json` of the home. Throws when nothing tells. */
export function findServer(
  env: Env,
  flags: { url: string | undefined; home: string | undefined },
): FoundServer {
  const named = (url: string, source: string) => ({
    url: checked(url, source),
    supervisor: undefined,
  })
  if (flags.url) return named(flags.url, 'option --url')
  if (env['DISPATCH_URL']) return named(env['DISPATCH_URL'], 'environment variable DISPATCH_URL')
  const home = findHome(env, flags.home)
  const server = readServerFile(home.serverFile)
  if (!server || !isAlive(server.pid)) refuseWhileStarting(home)
  if (!server) throw notRunning(`nothing runs on ${home.root}`)
  return {
    url: checked(server.url, home.serverFile),
    supervisor: server,
    api: server.processes['api']?.pid,
  }
}

/** A pid alone may be somebody else's by now, as after the machine was started anew. */
export const supervises = ({ pid, start }: NonNullable<FoundServer['supervisor']>): boolean =>
  isAlive(pid) && (start === undefined || processStart(pid) === start)

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The lock is taken first and the address written last: between the two there is somebody, but nobody to talk to. */
function refuseWhileStarting({ lockFile, root }: HomePaths): void {
  const holder = lockHolder(lockFile)
  if (!holder) return
  throw new CliFailure(
    'temporary',
    'starting',
    `Dispatch is starting on ${root} (process ${holder.pid}, since ${holder.since}).`,
    'Try again in a moment.',
  )
}

function checked(text: string, source: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw configFailure(
      `${source} is wrong: "${text}" is not an address.`,
      'Write it like http://127.0.0.1:4400',
    )
  return text.replace(/\/+$/, '')
}

const configFailure = (message: string, advice: string) =>
  new CliFailure('configuration', 'configuration', message, advice)

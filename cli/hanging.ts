import type { Reply } from '../contracts/api.ts'
import type { Deps } from './command.ts'
import { CliFailure } from './failure.ts'
import type { ServerFile } from './supervisor/server-file.ts'

/** A server that works answers this at once; whoever looks after it is not to wait as long as one who wants something of it. */
const LOOK_SECONDS = 4

type Ready = Reply<'ready'>

/** What of the server answers. Fails soon, with what can be done, when its API itself does not. */
export const askReady = (deps: Deps): Promise<Ready> =>
  deps.call('ready', {}, { seconds: LOOK_SECONDS }).catch(notReady)

/** A degraded server may answer with 503: that is a state to show, and no failure. */
function notReady(error: unknown): Ready {
  const { problem } = error as {
    problem?: { status: number; code: string; current?: Partial<Ready> }
  }
  if (problem?.status !== 503 || problem.code === 'strange_answer') throw error
  return {
    ...{ status: 'degraded', postgres: false, temporal: false, worker: false },
    ...{ workerSilentSince: null, undelivered: null, ...problem.current },
  }
}

/** ` (process 12)`, or nothing when it is not known. */
export const processOf = (pid: number | undefined) => (pid === undefined ? '' : ` (process ${pid})`)

/** A process that hangs is not started again by itself: its supervisor sees only one that ends. */
export const howToEnd = (pid: number | undefined) =>
  endingBy(pid === undefined ? '' : `: kill -9 ${pid}`)

const endingBy = (command: string) =>
  `Unless it comes back by itself, end it${command}. It is started again, and agents at work go on.`

/** Of a Postgres that does not answer: what is said, and what can be done. `server`: what its supervisor wrote. */
export function databaseAway(server: ServerFile | undefined): { message: string; advice: string } {
  const pid = server?.processes['postgres']?.pid
  return {
    message: `Postgres${processOf(pid)} does not answer: no goal goes on.`,
    advice:
      pid === undefined
        ? 'Dispatch starts its own again by itself: see "dispatch logs --service supervisor". One that DATABASE_URL names is yours to look after.'
        : // no new one starts while a child of the old one is there, and one that was stopped sees no end of its parent
          endingBy(`: kill -9 ${pid} $(pgrep -P ${pid})`),
  }
}

/** Of an API whose process is there. `change`: what was asked may have been done. */
export const apiHangs = (pid: number | undefined, change: boolean, why: string) =>
  new CliFailure(
    'temporary',
    'not_answering',
    `The API${processOf(pid)} does not answer: ${why}.${change ? ' Whether it was done is not known.' : ''}`,
    howToEnd(pid),
  )

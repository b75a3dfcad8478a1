import type { FailureReason, TerminalEvent } from '../../contracts/agent.ts'
import type { CliExit } from '../cli-process.ts'
import { endOfLimit } from '../end-of-limit.ts'
import { howItEnded } from '../endings.ts'

/** All that a process left behind that ended without success. */
export interface Remains {
  /** The message of its `result`, where it gave one. */
  message?: string
  exit: CliExit
  stderr: readonly string[]
}

/** As one of the closed reasons; the CLI's own words are the detail. */
export function failureOf({ message, exit, stderr }: Remains): TerminalEvent {
  const said = [message ?? '', ...stderr].join('\n')
  const reason = reasonOf(said, message, exit)
  const until = reason === 'rate_limit' || reason === 'quota' ? endOfLimit(said) : undefined
  const detail = (message ?? howItEnded('Gemini CLI', exit, stderr)).slice(0, 4000)
  return { type: 'failed', reason, detail, ...(until ? { until } : {}) }
}

function reasonOf(said: string, message: string | undefined, exit: CliExit): FailureReason {
  if (exit.error) return 'missing'
  if (/Invalid session identifier|No previous sessions? found/.test(said)) return 'session'
  if (exit.code === AUTH_EXIT || /set an Auth method|must specify the GEMINI_API_KEY/i.test(said))
    return 'auth'
  if (message === undefined) return 'crash'
  const status = statusOf(message) ?? STATUS_OF_EXIT[exit.code ?? 0]
  // a key may be blocked too, which its status says
  if ((status ?? 400) === 400 && /SAFETY|RECITATION|safety reasons|blocked/i.test(message))
    return 'refused'
  if (status !== undefined) return reasonOfStatus(status, said)
  return reasonOfWords(said)
}

/** Its own exit code for a login that cannot work. */
const AUTH_EXIT = 41

/** The exit code is the HTTP status modulo 256. */
const STATUS_OF_EXIT: Readonly<Record<number, number>> = Object.fromEntries(
  [400, 401, 403, 408, 413, 429, 500, 502, 503, 504].map((status) => [status % 256, status]),
)

function statusOf(message: string): number | undefined {
  const [, code] = /"code":\s*(\d{3})\b/.exec(message) ?? []
  return code === undefined ? undefined : Number(code)
}

function reasonOfStatus(status: number, said: string): FailureReason {
  switch (status) {
    case 401:
    case 403:
      return 'auth'
    case 404:
      return 'model'
    case 413:
      return 'context'
    case 429:
      return isQuota(said) ? 'quota' : 'rate_limit'
    case 400:
      return reasonOfBadRequest(said)
    default:
      return status >= 500 ? 'overloaded' : 'refused'
  }
}

function reasonOfBadRequest(said: string): FailureReason {
  if (/API key (?:not valid|expired)|API_KEY_INVALID/i.test(said)) return 'auth'
  return CONTEXT.test(said) ? 'context' : 'refused'
}

const CONTEXT =
  /token count .*exceeds|prompt is too long|context window|exceeds the maximum number of tokens/i

/** A day's quota is gone until tomorrow; a minute's is only a pause. The free plan calls both "quota". */
const isQuota = (said: string) =>
  /PerDay|daily (?:quota|limit)|quota will reset|exhausted your (?:daily )?(?:quota|capacity)|billing|credits?\b/i.test(
    said,
  )

function reasonOfWords(said: string): FailureReason {
  if (/model.*not found|ModelNotFoundError/i.test(said)) return 'model'
  if (/exceeded your (?:current )?quota|RESOURCE_EXHAUSTED|status(?:: | )429/i.test(said))
    return isQuota(said) ? 'quota' : 'rate_limit'
  if (/UNAUTHENTICATED|PERMISSION_DENIED|API_KEY_INVALID/.test(said)) return 'auth'
  if (CONTEXT.test(said)) return 'context'
  if (/UNAVAILABLE|overloaded|status(?:: | )5\d\d/i.test(said)) return 'overloaded'
  // the rest of what a request can end in: no answer, half an answer, one that is none
  if (/API Error|fetch failed|ECONN|ENOTFOUND|terminated|stream|JSON|parse/i.test(said))
    return 'network'
  return 'crash'
}

const TRY = /^Attempt (\d+) failed(?: with status (\d+))?/

/** A line of stderr that tells of a try again; undefined for any other. */
export function retryIn(line: string): { attempt: number; reason: FailureReason } | undefined {
  const [, attempt, status] = TRY.exec(line) ?? []
  if (attempt === undefined) return undefined
  const reason = status === undefined ? 'network' : reasonOfStatus(Number(status), line)
  return { attempt: Number(attempt), reason }
}

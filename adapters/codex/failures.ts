import type { FailureReason, TerminalEvent } from '../../contracts/agent.ts'
import { endAt, endOfLimit } from '../end-of-limit.ts'
import { jsonAnswer } from '../json-answer.ts'
import type { ErrorInfo, RateLimits, TurnError } from './wire.ts'

/** The reasons for which the provider's limit has an end that is worth telling. */
const LIMITED: readonly FailureReason[] = ['quota', 'rate_limit']

/** A turn's error as one of the closed reasons, with Codex's own words as the detail. */
export function failureOf(error: TurnError, limits: RateLimits | undefined): TerminalEvent {
  const { message, additionalDetails } = error
  const said = [message, additionalDetails].filter(Boolean).join(' ').slice(0, 4000)
  const reason = reasonOf(error.codexErrorInfo ?? null, said)
  const told = inWords(said)
  const detail = reason === 'auth' ? authDetail(told) : told
  const until = LIMITED.includes(reason) ? (endOfWindows(limits) ?? endOfLimit(said)) : undefined
  return { type: 'failed', reason, detail, ...(until === undefined ? {} : { until }) }
}

/** A provider's error often comes as the JSON that it sent: its message is what a person can read. */
function inWords(said: string): string {
  const [from, end] = [said.indexOf('{'), said.lastIndexOf('}') + 1]
  const json = from === -1 ? undefined : jsonAnswer(said.slice(from, end))
  const { error, message } = (json ?? {}) as { error?: { message?: unknown }; message?: unknown }
  const words = error?.message ?? message
  return typeof words === 'string' ? said.slice(0, from) + words + said.slice(end) : said
}

const authDetail = (said: string) =>
  `Codex is not logged in, or its key is refused (${said}). Log in with: codex login`

/** ISO time at which every window that is used up is open again; undefined where none is. */
function endOfWindows(limits: RateLimits | undefined): string | undefined {
  const ends = [limits?.primary, limits?.secondary].flatMap((window) =>
    window && window.usedPercent >= 100 && window.resetsAt ? [window.resetsAt] : [],
  )
  return ends.length > 0 ? endAt(Math.max(...ends)) : undefined
}

/** Codex's `codexErrorInfo`; where that says nothing ("other", or an older version) its words decide. */
export function reasonOf(info: ErrorInfo | null, said: string): FailureReason {
  if (typeof info === 'object' && info !== null) return reasonOfRequest(info, said)
  switch (info) {
    case 'unauthorized':
      return 'auth'
    case 'modelNotFound':
      return 'model'
    case 'usageLimitExceeded':
      return 'quota'
    case 'rateLimitExceeded':
      return 'rate_limit'
    case 'serverOverloaded':
    case 'flexUnavailable':
    case 'policyCapacityUnavailable':
    case 'internalServerError':
      return 'overloaded'
    case 'contextWindowExceeded':
      return 'context'
    case 'sessionBudgetExceeded':
      return 'budget'
    case 'badRequest':
    case 'cyberPolicy':
    case 'inferenceHookDenied':
    case 'misalignmentPolicyViolation':
    case 'tooManyDenials':
      return 'refused'
    default:
      return reasonOfWords(said)
  }
}

/** `{ httpConnectionFailed: { httpStatusCode: 401 } }` and its like: a request that failed, with its status where there was one. */
function reasonOfRequest(info: Exclude<ErrorInfo, string>, said: string): FailureReason {
  const status = Object.values(info)[0]?.httpStatusCode ?? null
  const words = reasonOfWords(said)
  return reasonOfStatus(status) ?? (words === 'crash' ? 'network' : words)
}

function reasonOfStatus(status: number | null): FailureReason | undefined {
  if (status === null) return undefined
  if (status === 401 || status === 403) return 'auth'
  if (status === 404) return 'model'
  if (status === 413) return 'context'
  if (status === 429) return 'rate_limit'
  if (status >= 500) return 'overloaded'
  return 'refused'
}

/** Codex's own sentences, for `codex exec` and for errors without a code. The order matters: the first that fits. */
const WORDS: readonly (readonly [RegExp, FailureReason])[] = [
  [/no rollout found|no saved session found|thread not found/i, 'session'],
  [/not logged in|missing environment variable|refresh token|please (?:log|sign) in/i, 'auth'],
  [/context window/i, 'context'],
  [/usage limit|quota exceeded|out of credits/i, 'quota'],
  [/rate limit/i, 'rate_limit'],
  [/at capacity|high demand|overloaded/i, 'overloaded'],
  [/model\b.*(?:does not exist|not found|not supported)/i, 'model'],
  [
    /stream disconnected|waiting for network|sending request|connection (?:failed|refused)/i,
    'network',
  ],
  [/invalid_request_error|usage policy/i, 'refused'],
]

function reasonOfWords(said: string): FailureReason {
  const status = /(?:unexpected|last) status:? (\d{3})/.exec(said)?.[1]
  if (status) return reasonOfStatus(Number(status)) ?? 'network'
  return WORDS.find(([pattern]) => pattern.test(said))?.[1] ?? 'crash'
}

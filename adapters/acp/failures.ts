import type { FailureReason, TerminalEvent } from '../../contracts/agent.ts'
import { endOfLimit } from '../end-of-limit.ts'

/** A JSON-RPC error as one of the closed reasons; agents word and number them as they like, so all that is there is looked at. */
export function failureOf(error: unknown): TerminalEvent & { type: 'failed' } {
  const { code, message, data } = partsOf(error)
  const kind = typeof data['errorKind'] === 'string' ? data['errorKind'] : ''
  const reason =
    KINDS[kind] ?? reasonOfCode(code) ?? reasonOfWords(`${message} ${JSON.stringify(data)}`)
  const until =
    reason === 'rate_limit' || reason === 'quota'
      ? endOfLimit(`${message} ${JSON.stringify(data)}`)
      : undefined
  return { type: 'failed', reason, detail: message.slice(0, 4000), ...(until ? { until } : {}) }
}

interface Parts {
  code: number
  message: string
  data: Record<string, unknown>
}

function partsOf(error: unknown): Parts {
  const { code, message, data } = (error ?? {}) as Partial<Record<keyof Parts, unknown>>
  return {
    code: typeof code === 'number' ? code : 0,
    message: typeof message === 'string' ? message : String(error),
    data: typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : {},
  }
}

/** What the wrapper of Claude Code adds. */
const KINDS: Readonly<Record<string, FailureReason>> = {
  authentication_failed: 'auth',
  billing_error: 'quota',
  rate_limit: 'rate_limit',
  overloaded: 'overloaded',
  model_not_found: 'model',
}

/** The protocol's own codes, and the HTTP status that some give instead. */
function reasonOfCode(code: number): FailureReason | undefined {
  if (code === -32000 || code === 401 || code === 403) return 'auth'
  if (code === -32002) return 'session'
  if (code === 404) return 'model'
  if (code === 413) return 'context'
  if (code === 429) return 'rate_limit'
  return code >= 500 && code < 600 ? 'overloaded' : undefined
}

const WORDS: readonly (readonly [RegExp, FailureReason])[] = [
  [
    /session.*not found|no (?:previous|such) session|unknown session|resource not found/i,
    'session',
  ],
  [/API key|unauthori[sz]ed|authenticat|not logged in|\b401\b|\b403\b/i, 'auth'],
  [/quota|billing|credit/i, 'quota'],
  [/rate.?limit|too many requests|\b429\b/i, 'rate_limit'],
  [/overloaded|unavailable|internal server error|\b5\d\d\b/i, 'overloaded'],
  [/context (?:window|length)|too long|token count/i, 'context'],
  [/model.*not found|unknown model/i, 'model'],
  [/invalid_request|API Error: 400/, 'refused'],
  [/fetch failed|ECONN|ENOTFOUND|network|connection|stream/i, 'network'],
]

const reasonOfWords = (said: string): FailureReason =>
  WORDS.find(([pattern]) => pattern.test(said))?.[1] ?? 'crash'

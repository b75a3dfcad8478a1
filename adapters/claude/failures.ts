import type { FailureReason, TerminalEvent } from '../../contracts/agent.ts'
import { endAt } from '../end-of-limit.ts'
import type { ResultMessage } from './wire.ts'

/** What was learned during the turn besides its result. */
export interface FailureClues {
  /** `assistant.error` of the CLI's own words about the failed request. */
  error?: string | undefined
  /** Epoch seconds at which a subscription's limit is over. */
  resetsAt?: number | undefined
}

/** A result that is no answer, as one of the closed reasons. The CLI's own words are the detail. */
export function failureOf(result: ResultMessage, clues: FailureClues): TerminalEvent {
  const detail = wordsOf(result)
  const reason = reasonOf(result, clues, detail)
  const until =
    clues.resetsAt !== undefined && (reason === 'rate_limit' || reason === 'quota')
      ? { until: endAt(clues.resetsAt) }
      : {}
  return { type: 'failed', reason, detail, ...until }
}

const wordsOf = ({ result, errors, subtype, terminal_reason }: ResultMessage) =>
  (result || errors?.join(' / ') || `${subtype} ${terminal_reason ?? ''}`.trim()).slice(0, 4000)

/** Words of a CLI that does not know the session to continue; there is no other sign. */
const UNKNOWN_SESSION = /No conversation found with session ID/i

function reasonOf(result: ResultMessage, clues: FailureClues, detail: string): FailureReason {
  if (UNKNOWN_SESSION.test(detail)) return 'session'
  if (result.startup_failure_reason) return startupReason(result.startup_failure_reason)
  if (result.subtype === 'error_max_structured_output_retries') return 'invalid_output'
  if (result.subtype === 'error_max_budget_usd') return 'budget'
  if (result.terminal_reason === 'prompt_too_long') return 'context'
  if (result.terminal_reason === 'aborted_streaming' || result.terminal_reason === 'aborted_tools')
    return 'interrupted'
  // a limit with a date to it is a plan's; without one the provider only asks to slow down
  const error = reasonOfError(clues.error ?? '', result.api_error_status ?? null)
  if (error === 'rate_limit' && clues.resetsAt !== undefined) return 'quota'
  if (error) return error
  // an answer that is none, from whatever stands between here and the provider
  return result.terminal_reason === 'api_error' || result.api_error ? 'network' : 'crash'
}

/** The words of `api_retry.error` and `assistant.error`, and the HTTP status where there was one. */
export function reasonOfError(error: string, status: number | null): FailureReason | undefined {
  switch (error) {
    case 'authentication_failed':
    case 'oauth_org_not_allowed':
    case 'account_on_hold':
    case 'verification_required':
    case 'cloud_credential_error':
      return 'auth'
    case 'billing_error':
      return 'quota'
    case 'rate_limit':
      return 'rate_limit'
    case 'overloaded':
      return 'overloaded'
    case 'model_not_found':
      return 'model'
    case 'invalid_request':
      return status === 413 ? 'context' : 'refused'
    default:
      return reasonOfStatus(status) ?? (error === 'server_error' ? 'network' : undefined)
  }
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

const SIGN_IN = /org_|provider_not_allowed|gateway_|sign/

const startupReason = (reason: string): FailureReason => (SIGN_IN.test(reason) ? 'auth' : 'refused')

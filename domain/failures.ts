import type { FailureReason } from '../contracts/agent.ts'

/** What a person can do about each way a run can fail: one sentence. */
const ADVICE: Readonly<Record<FailureReason, string>> = {
  auth: 'The agent is not logged in: log in with its own command, then retry.',
  model: 'The model is not known to the agent: choose another in the profile, then retry.',
  rate_limit: 'The provider asks for a pause; Dispatch goes on by itself when it is over.',
  quota: 'The quota is used up; Dispatch goes on by itself when it is renewed.',
  overloaded: 'The provider is overloaded; Dispatch tries again by itself.',
  network: 'The provider cannot be reached; Dispatch tries again by itself.',
  context: 'The task does not fit the model: split it, or choose a model with a larger context.',
  budget: 'The token budget is used up: grant more in the review, or reject.',
  crash: 'The agent ended without an answer several times: read its transcript, then retry.',
  hung: 'The agent was silent for too long and was ended: retry, or raise agentSilenceSeconds.',
  loop: 'The agent repeated itself and was ended: read its transcript, retry, and correct it while it works.',
  interrupted: 'The run was interrupted: resume the goal.',
  refused: 'The agent was refused an action that it needs: read its transcript, then retry.',
  invalid_output:
    'The answer did not have the asked shape after two corrections: read its transcript, then retry.',
  missing: 'The agent is not installed: see dispatch adapters for the command, then retry.',
  session: 'The agent no longer knows its session; Dispatch starts the work again by itself.',
}

export const failureAdvice = (reason: FailureReason): string => ADVICE[reason]

/** The same where Dispatch, which goes on by itself after these, has done so often enough, or is not to. */
const GIVEN_UP: Readonly<Partial<Record<FailureReason, string>>> = {
  rate_limit: 'The provider asks for a pause: choose another agent, or retry.',
  quota: 'The quota is used up: choose another agent, or retry when it is renewed.',
  overloaded:
    'The provider was overloaded, however often it was tried: choose another agent, or retry.',
  network: 'The provider could not be reached, however often it was tried: mend that, then retry.',
  session: 'The agent knows no session that it began: read its transcript, then retry.',
}

/** Why a run failed and what to do. What is said of a missing agent says both: where it is not, or why it is not started. */
export function failureInWords(
  reason: FailureReason,
  detail: string | null,
  { goesOn }: { goesOn: boolean },
): string {
  if (reason === 'missing' && detail !== null) return detail
  const advice = goesOn ? ADVICE[reason] : (GIVEN_UP[reason] ?? ADVICE[reason])
  return `${advice} (${detail ?? reason})`
}

/** What Dispatch does by itself about a failed run. */
export type Remedy =
  /** Start the next segment in the same session, a bounded number of times. */
  | { type: 'resume' }
  /** Start the work again in a new session, because there is none to continue. */
  | { type: 'restart' }
  /** Wait for the provider, then go on in the same session. */
  | { type: 'park'; seconds: number }
  | { type: 'give_up' }

const MAX_RESUMES = 3
/** One who was woken from a loop and falls into it again needs a person. */
const MAX_RESUMES_OF_LOOP = 1
const MAX_PARKS = 20
const LONGEST_PAUSE = 3600
/** A pause of this length that the provider asked for paces itself, as long as the agent gets anything done after it. */
const LONG_PAUSE_SECONDS = 300
/** Waiting for a limit spends no tries, but who waited so long in all needs a person; what is renewed daily is renewed by then. */
const LIMIT_PATIENCE_SECONDS = 24 * 3600
/** A first pause where the provider named none: a used up quota takes longer. */
const FIRST_PAUSE = { rate_limit: 90, quota: 900 } as const

/**
 * Ends that prove that nobody is billed for the last request: its provider refused it with an error in place of an answer, or it was never
 * made. Any other end (a connection that broke, a silence, a kill) proves nothing: what was sent may be billed.
 */
const UNBILLED: readonly FailureReason[] = [
  'missing',
  'session',
  'auth',
  'model',
  'rate_limit',
  'quota',
  'overloaded',
]
export const isUnbilled = (reason: FailureReason): boolean => UNBILLED.includes(reason)

export type LimitReason = keyof typeof FIRST_PAUSE
export const isLimit = (reason: FailureReason | null): reason is LimitReason =>
  reason !== null && reason in FIRST_PAUSE

/** Seconds to wait for a limit whose provider named no time; `failures`: by that limit before, in the same attempt. */
export const ownPause = (reason: LimitReason, failures: number): number =>
  Math.min(LONGEST_PAUSE, FIRST_PAUSE[reason] * 2 ** failures)

/** Seconds that a limit is waited for: a provider that names a second over and over is not asked every second. */
export const pauseFor = (
  reason: LimitReason,
  failures: number,
  named = ownPause(reason, failures),
): number => Math.max(named, Math.min(LONGEST_PAUSE, 2 ** failures))

/** How an attempt stands with the limits of its provider, in seconds. */
export interface LimitPause {
  /** That the provider named. */
  named?: number
  /** What its pauses so far took of the patience with limits. */
  waited: number
}

/**
 * What a pause takes of the patience with limits. `named`: by the provider; `helped`: the agent got something done after it. A long one
 * that did not help, such as one of days whose end was told a minute too early, takes no more than the longest that is set without a name.
 */
export function patienceTaken(
  waited: number,
  { named, helped }: { named: number | undefined; helped: boolean },
): number {
  if (named === undefined || named < LONG_PAUSE_SECONDS) return waited
  return helped ? 0 : Math.min(waited, LONGEST_PAUSE)
}

/**
 * `failures` counts earlier failed segments of this attempt with the same reason. Crashes are resumed 3 times at once, loops once; a
 * provider that cannot be reached is tried 20 times; its limits are waited for, for a day in all (`patienceTaken`).
 */
export function remedyFor(reason: FailureReason, failures: number, limit: LimitPause): Remedy {
  switch (reason) {
    case 'crash':
    case 'hung':
      return failures < MAX_RESUMES ? { type: 'resume' } : { type: 'give_up' }
    case 'loop':
      return failures < MAX_RESUMES_OF_LOOP ? { type: 'resume' } : { type: 'give_up' }
    case 'session':
      return failures < MAX_RESUMES ? { type: 'restart' } : { type: 'give_up' }
    case 'rate_limit':
    case 'quota':
      return remedyForLimit(reason, failures, limit)
    case 'overloaded':
    case 'network':
      if (failures >= MAX_PARKS) return { type: 'give_up' }
      return { type: 'park', seconds: Math.min(LONGEST_PAUSE, 5 * 2 ** failures) }
    default:
      return { type: 'give_up' }
  }
}

function remedyForLimit(
  reason: LimitReason,
  failures: number,
  { named, waited }: LimitPause,
): Remedy {
  if (waited >= LIMIT_PATIENCE_SECONDS) return { type: 'give_up' }
  return { type: 'park', seconds: pauseFor(reason, failures, named) }
}

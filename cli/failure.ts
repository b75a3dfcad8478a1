import type { ProblemBody } from '../contracts/schemas.ts'

/** What a process of ours ends with. From 64 on the numbers are those of sysexits.h. */
export const EXIT = {
  ok: 0,
  error: 1,
  usage: 2,
  notLoggedIn: 4,
  refused: 5,
  notFound: 66,
  notRunning: 69,
  temporary: 75,
  configuration: 78,
  interrupted: 130,
} as const
export type ExitName = keyof typeof EXIT

/** A failure that a person can do something about. Everything else that is thrown is a bug. */
export class CliFailure extends Error {
  readonly exit: ExitName
  /** Stable word for scripts. */
  readonly code: string
  /** What to do next: one sentence, with the command. */
  readonly advice: string | undefined
  constructor(exit: ExitName, code: string, message: string, advice?: string) {
    super(message)
    this.exit = exit
    this.code = code
    this.advice = advice
  }
}

export const usageFailure = (message: string, advice?: string) =>
  new CliFailure('usage', 'usage', message, advice)

export const notRunning = (detail?: string) =>
  new CliFailure(
    'notRunning',
    'not_running',
    `Dispatch is not running${detail ? ` (${detail})` : ''}.`,
    'Start it: dispatch start',
  )

/** The same failure for a person and, as problem+json, for a program. */
export interface Report {
  exitCode: number
  problem: Partial<ProblemBody> & { title: string; detail: string; code: string }
}

/** Turns anything thrown by a command into its exit code and its problem document. */
export function reportOf(error: unknown): Report {
  if (isCliFailure(error)) {
    const { code, message, advice } = error
    return { exitCode: EXIT[error.exit], problem: cliProblem(code, message, advice) }
  }
  const problem = problemBody(error)
  if (problem) return { exitCode: EXIT[exitOf(problem)], problem }
  if (isUnreachable(error)) return reportOf(notRunning(connectionDetail(error)))
  const { message, exitCode = EXIT.error } = error as { message?: string; exitCode?: number }
  const name = (Object.keys(EXIT) as ExitName[]).find((one) => EXIT[one] === exitCode) ?? 'error'
  const advice = errorCode(error) === 'ENOSPC' ? 'Free some space, then try again.' : undefined
  return { exitCode, problem: cliProblem(name, message ?? String(error), advice) }
}

/** One more sentence for the person, after what the report advises already. */
export function addAdvice({ problem }: Report, sentence: string): void {
  problem.advice = problem.advice ? `${problem.advice}\n${sentence}` : sentence
}

/** By shape: what is loaded lazily is a bundle of its own, with a class of its own. */
export const isCliFailure = (error: unknown): error is CliFailure =>
  error instanceof Error && Object.hasOwn(EXIT, (error as Partial<CliFailure>).exit ?? '')

function cliProblem(code: string, detail: string, advice?: string): Report['problem'] {
  return {
    type: `urn:dispatch:cli:${code}`,
    title: TITLES[code] ?? 'Error',
    code,
    detail,
    ...(advice ? { advice } : {}),
  }
}

const TITLES: Readonly<Record<string, string>> = {
  usage: 'Wrong usage',
  not_running: 'Dispatch is not running',
  configuration: 'Wrong configuration',
  temporary: 'Try again later',
  starting: 'Dispatch is starting',
  not_found: 'Not found',
  confirmation_needed: 'Confirmation needed',
}

function exitOf({ status, code }: ProblemBody): ExitName {
  if (status === 401) return 'notLoggedIn'
  if (status === 403 || status === 409) return 'refused'
  if (status === 423 || status === 429 || status === 503) return 'temporary'
  // what another program says of its own pages is nothing about ours; a proxy before ours is believed
  if (code === 'strange_answer') return 'notRunning'
  if (status === 404) return 'notFound'
  if (status === 400 || status === 413 || status === 422) return 'usage'
  return 'error'
}

/** The body of the client's ProblemError; recognised by shape, so that no class must be loaded to compare with. */
export function problemBody(error: unknown): ProblemBody | undefined {
  const problem = (error as { problem?: ProblemBody } | undefined)?.problem
  return typeof problem?.status === 'number' ? problem : undefined
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ETIMEDOUT',
  'EPIPE',
  'EAI_AGAIN',
])

/** The system's word for what went wrong, such as `ECONNREFUSED`. */
export function errorCode(error: unknown): string | undefined {
  const { code, cause } = (error ?? {}) as { code?: string; cause?: { code?: string } }
  return code ?? cause?.code
}

export const isUnreachable = (error: unknown) => UNREACHABLE.has(errorCode(error) ?? '')

function connectionDetail(error: unknown): string | undefined {
  const code = errorCode(error)
  return code === 'ECONNREFUSED' ? undefined : code
}

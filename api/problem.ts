import type { ProblemBody } from '../contracts/schemas.ts'
import type { Refusal, RefusalCode } from '../db/refusal.ts'
import { isDiskFull } from '../domain/disk.ts'
import { isPassing } from '../domain/passing.ts'

/** An answer that is not the wanted one, as RFC 9457 has it. Thrown on the way to the one error handler. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly more: Pick<ProblemBody, 'advice' | 'errors' | 'current'>
  /** Extra response headers, such as Allow. */
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    code: string,
    detail: string,
    more: Problem['more'] & { headers?: Record<string, string> } = {},
  ) {
    super(detail)
    this.name = 'Problem'
    this.status = status
    this.code = code
    const { headers, ...rest } = more
    this.more = rest
    this.headers = headers ?? {}
  }
}

const REFUSAL_STATUS: Readonly<Record<RefusalCode, number>> = {
  not_found: 404,
  project_unknown: 404,
  project_exists: 409,
  ambiguous_name: 409,
  name_taken: 409,
  in_use: 409,
  wrong_state: 409,
  no_review: 409,
  already_decided: 409,
  superseded: 409,
  stale_hash: 409,
  checklist_incomplete: 409,
  edits_not_allowed: 422,
  not_trusted: 409,
  no_agent: 409,
  auto_model_off: 409,
  bad_cursor: 422,
  bad_stream: 422,
  bad_setting: 422,
  no_sandbox: 422,
}

/** What `db/` refused, as it is answered. */
export function refusalProblem(refusal: Refusal): Problem {
  const { refused, detail, advice, current } = refusal
  return new Problem(REFUSAL_STATUS[refused], refused, detail, {
    ...(advice === undefined ? {} : { advice }),
    ...(current === undefined ? {} : { current }),
  })
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is malformed',
  401: 'Not allowed',
  403: 'Not allowed',
  404: 'Not found',
  405: 'This method is not there',
  409: 'That does not fit the state of things',
  412: 'That was changed meanwhile',
  413: 'Too large',
  414: 'The address is too long',
  415: 'Only application/json is read',
  422: 'Something in the request is wrong',
  429: 'Too many',
  431: 'The headers are too large',
  503: 'Not available now',
}

/** The body as it is sent. Never holds a stack, SQL or a path of ours. */
export function problemBody(
  problem: Problem,
  at: { requestId: string; instance: string },
): ProblemBody {
  return {
    type: `urn:dispatch:problem:${problem.code}`,
    title: TITLES[problem.status] ?? 'Something went wrong in Dispatch',
    status: problem.status,
    code: problem.code,
    detail: problem.message,
    instance: at.instance,
    requestId: at.requestId,
    ...problem.more,
  }
}

/**
 * Any error as a problem. Those that are nobody's mistake become 500 with nothing of their text; `unexpected` says
 * that it must be logged.
 */
export function toProblem(error: unknown): { problem: Problem; unexpected: boolean } {
  if (error instanceof Problem) return { problem: error, unexpected: false }
  const known =
    diskProblem(error) ?? gitProblem(error) ?? httpProblem(error) ?? passingProblem(error)
  if (known) return { problem: known, unexpected: known.status >= 500 }
  const problem = new Problem(
    500,
    'internal',
    'Dispatch made a mistake; its log has the details.',
    {
      advice: 'Look for the request id in "dispatch logs --service api".',
    },
  )
  return { problem, unexpected: true }
}

/** Reading still works on a full disk; what was asked for was not stored. */
function diskProblem(error: unknown): Problem | undefined {
  if (!isDiskFull(error)) return undefined
  return new Problem(503, 'disk_full', 'The disk is full, so nothing was stored.', {
    advice: 'Free some space on the disk of Dispatch and its database, then try again.',
    headers: { 'Retry-After': '10' },
  })
}

/** What `git/` says about a repository, recognised by its name: the message ends with the advice. */
function gitProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || error.name !== 'GitProblem') return undefined
  const { code, advice, message } = error as Error & { code: string; advice: string }
  return new Problem(422, code, message.replace(` ${advice}`, ''), { advice })
}

/** Errors that express and its parsers throw: they carry a status below 500 and a harmless message. */
function httpProblem(error: unknown): Problem | undefined {
  if (error instanceof URIError) return new Problem(400, 'bad_url', 'The address is not valid.')
  const { status, type, limit } = error as { status?: unknown; type?: unknown; limit?: number }
  if (typeof status !== 'number' || status < 400 || status >= 500) return undefined
  switch (type) {
    case 'entity.too.large':
      return new Problem(
        413,
        'too_large',
        `The body is larger than ${Number(limit) / 1024 ** 2} MB.`,
      )
    case 'encoding.unsupported':
      return new Problem(415, 'unsupported_encoding', 'Compressed bodies are not read.')
    case 'charset.unsupported':
      return new Problem(415, 'unsupported_charset', 'The body must be UTF-8.')
    case 'request.size.invalid':
    case 'request.aborted':
      return new Problem(400, 'body_incomplete', 'The body is shorter or longer than announced.')
    default:
      return new Problem(status, 'bad_request', 'The request is malformed.')
  }
}

/** Files, processes or memory that the system has no more of. */
const SYSTEM_FULL = /^E(MFILE|NFILE|NOMEM|AGAIN)$/

function passingProblem(error: unknown): Problem | undefined {
  if (!isPassing(error)) return undefined
  const headers = { 'Retry-After': '2' }
  if (SYSTEM_FULL.test((error as { code?: string }).code ?? ''))
    return new Problem(
      503,
      'system_full',
      'The system gives Dispatch no more files or memory now.',
      {
        advice: 'Ask again; if it stays so, raise its limits (ulimit -n) or end what uses them up.',
        headers,
      },
    )
  return new Problem(503, 'database_unavailable', 'The database does not answer.', {
    advice: 'It is tried again with every request; see "dispatch status".',
    headers,
  })
}

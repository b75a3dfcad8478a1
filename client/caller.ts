import type { Body, Params, Query, Reply } from '../contracts/api.ts'
import { entityTag } from '../contracts/entity-tag.ts'
import { type Route, type RouteName, routes } from '../contracts/routes.ts'
import type { ProblemBody } from '../contracts/schemas.ts'

export interface HttpRequest {
  method: string
  url: string
  headers: Record<string, string>
  body?: string
}
export interface HttpReply {
  status: number
  /** The whole body as text. */
  text: string
}
/** Longest wait for an answer: every route answers at once, work is done elsewhere. */
export const ANSWER_SECONDS = 30
/** Sends one request. Rejects only when no answer came. */
export type Transport = (request: HttpRequest) => Promise<HttpReply>

export interface CallInput<N extends RouteName> {
  params?: Params<N>
  query?: Query<N>
  body?: Body<N>
}

export interface CallOptions {
  /** The same one for a repeated call: what it makes is made once. */
  idempotencyKey?: string
  /** What a change was made from, as it was read: refused with 412 when that is no longer what is there. */
  seen?: unknown
}

export interface Client {
  /** Calls a route of the table. Throws ProblemError when the answer is not the wanted one. */
  call<N extends RouteName>(name: N, input?: CallInput<N>, options?: CallOptions): Promise<Reply<N>>
}

/** The server said no; `problem` says why and what to do. */
export class ProblemError extends Error {
  readonly problem: ProblemBody
  constructor(problem: ProblemBody) {
    super(problem.detail)
    this.name = 'ProblemError'
    this.problem = problem
  }
}

/** A client over any transport. The replies are not parsed: the server of the same version made them. */
export function createCaller(options: { baseUrl: string; transport: Transport }): Client {
  const baseUrl = options.baseUrl.replace(/\/+$/, '')
  return {
    async call(name, input = {}, { idempotencyKey, seen } = {}) {
      const route: Route = routes[name]
      const { status, text } = await options.transport({
        method: route.method,
        url: baseUrl + pathOf(route, input.params) + queryOf(input.query),
        headers: {
          accept: 'application/json',
          ...(route.method === 'GET' ? {} : { 'x-dispatch': '1' }),
          ...(input.body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
          ...(seen === undefined ? {} : { 'if-match': entityTag(seen) }),
        },
        ...(input.body === undefined ? {} : { body: JSON.stringify(input.body) }),
      })
      const reply = parse(text)
      if (status === route.status && reply !== undefined) return reply as never
      throw new ProblemError(isProblem(reply) ? reply : strangeAnswer(status))
    },
  }
}

function pathOf(route: Route, params: unknown): string {
  const values = (params ?? {}) as Record<string, string>
  return route.path.replace(/:(\w+)/g, (_, key: string) => {
    const value = values[key]
    if (!value) throw new Error(`${route.path} needs ${key}`)
    // no encoding keeps them: every URL parser would take them as steps up the path
    if (value === '.' || value === '..') throw new ProblemError(noId(value))
    return encodeURIComponent(value)
  })
}

function queryOf(query: unknown): string {
  const entries = Object.entries((query ?? {}) as Record<string, unknown>)
  const given = entries.filter(([, value]) => value !== undefined)
  if (given.length === 0) return ''
  return `?${new URLSearchParams(given.map(([key, value]): [string, string] => [key, String(value)]))}`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not from Dispatch: the caller says so
  }
}

const isProblem = (reply: unknown): reply is ProblemBody =>
  typeof (reply as ProblemBody | undefined)?.code === 'string'

const noId = (value: string): ProblemBody => ({
  type: 'urn:dispatch:problem:not_found',
  title: 'Not found',
  status: 404,
  code: 'not_found',
  detail: `"${value}" is neither an id nor a name.`,
  advice: 'Write its id, such as P-2 or G-12, or its name.',
  requestId: '',
})

const strangeAnswer = (status: number): ProblemBody => ({
  type: 'urn:dispatch:problem:strange_answer',
  title: 'That was not Dispatch',
  status,
  code: 'strange_answer',
  detail: `The server answered ${status} with something that Dispatch does not say.`,
  advice: 'Check the address: another program may listen there.',
  requestId: '',
})

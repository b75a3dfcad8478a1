import express, { type Express, type Request, type Response } from 'express'
import type { z } from 'zod'
import { api, MOST_BODY_BYTES, type Reply, type RouteSchema } from '../contracts/api.ts'
import { entityTag } from '../contracts/entity-tag.ts'
import { type Route, type RouteName, routes } from '../contracts/routes.ts'
import { isRefusal, type Refusal } from '../db/refusal.ts'
import { parseJsonBody } from './json-body.ts'
import { Problem, refusalProblem } from './problem.ts'

type Schemas = typeof api
type Parsed<N extends RouteName, K extends string> =
  Schemas[N] extends Record<K, infer T extends z.ZodType> ? z.output<T> : undefined

export interface Call<N extends RouteName> {
  params: Parsed<N, 'params'>
  query: Parsed<N, 'query'>
  body: Parsed<N, 'body'>
  /** Only on routes that create; undefined when the caller sent none. */
  idempotencyKey: string | undefined
  /** Given what is there now, throws 412 when the caller made the change from another state. Only on versioned routes. */
  mustBe(current: unknown): void
}

export type Handler<N extends RouteName> = (call: Call<N>) => Promise<Reply<N> | Refusal>
export type Handlers = { [N in RouteName]: Handler<N> }

const readBody = ({ mostBytes = MOST_BODY_BYTES }: RouteSchema) =>
  express.raw({ type: () => true, limit: mostBytes, inflate: false })

/** Addresses at which something can be read. */
const READABLE = new Set(
  Object.values<Route>(routes).flatMap(({ method, path }) => (method === 'GET' ? [path] : [])),
)

/** Binds one route of the table: what comes in is checked by its schemas, what goes out has its status. */
export function bind<N extends RouteName>(app: Express, name: N, handler: Handler<N>): void {
  const route: Route = routes[name]
  const schema: RouteSchema = api[name]
  const method = route.method.toLowerCase() as 'get' | 'post' | 'patch' | 'delete'
  const steps = schema.body ? [readBody(schema)] : []
  app[method](route.path, ...steps, async (request: Request, response: Response) => {
    response.locals['route'] = name
    const call = {
      params: parse(schema.params, request.params, 'params'),
      query: parse(schema.query, request.query, 'query'),
      body: schema.body && parse(schema.body, bodyOf(request), 'body'),
      idempotencyKey: route.idempotent ? keyOf(request) : undefined,
      mustBe: (current: unknown) => checkMatch(request.get('If-Match'), current),
    } as Call<N>
    const reply = await handler(call)
    if (isRefusal(reply)) throw refusalProblem(reply)
    response.status(route.status)
    if (route.versioned) response.set('ETag', entityTag(reply))
    if (route.status === 201 && READABLE.has(`${route.path}/:id`))
      response.location(`${route.path}/${(reply as unknown as { id: string }).id}`)
    response.json(reply)
  })
}

/** 405 with Allow on every path of the table, and of `readable`; call it when all routes are bound. */
export function refuseOtherMethods(app: Express, readable: readonly string[]): void {
  const methods = new Map(readable.map((path) => [path, ['GET']]))
  for (const route of Object.values<Route>(routes))
    methods.set(route.path, [...(methods.get(route.path) ?? []), route.method])
  for (const [path, allowed] of methods) {
    const allow = [...allowed, ...(allowed.includes('GET') ? ['HEAD'] : [])].join(', ')
    app.route(path).all((request) => {
      throw new Problem(405, 'method_not_allowed', `${request.method} is not there; ${allow} is.`, {
        headers: { Allow: allow },
      })
    })
  }
}

/** A request without a body is an empty object: most actions need nothing more. */
function bodyOf(request: Request): unknown {
  const bytes: unknown = request.body
  if (!Buffer.isBuffer(bytes) || bytes.length === 0) return {}
  const charset = /charset\s*=\s*"?([^";\s]+)/i.exec(request.headers['content-type'] ?? '')?.[1]
  if (charset && !/^utf-?8$/i.test(charset))
    throw new Problem(415, 'unsupported_charset', 'The body must be UTF-8.')
  return parseJsonBody(bytes)
}

const WHERE = { params: 'path', query: 'query', body: 'body' } as const

function parse(schema: z.ZodType | undefined, value: unknown, where: keyof typeof WHERE): unknown {
  if (!schema) return undefined
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const errors = result.error.issues.slice(0, 50).flatMap(toErrors)
  const first = errors[0]
  throw new Problem(
    422,
    'invalid',
    `The ${WHERE[where]} is wrong: ${first?.pointer.slice(1) || WHERE[where]} ${first?.detail}.`,
    { errors },
  )
}

function toErrors(issue: z.core.$ZodIssue): { pointer: string; detail: string }[] {
  const pointer = (path: readonly PropertyKey[]) =>
    path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => ({
      pointer: pointer([...issue.path, key]),
      detail: 'is not known',
    }))
  return [{ pointer: pointer(issue.path), detail: inWords(issue) }]
}

/** Names that Zod has for what was expected, in words. */
const KINDS: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'an array',
  object: 'an object',
  record: 'an object',
}

/** What is wrong, as words that follow its name. */
function inWords(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_big':
      return `must ${extent('most', issue.maximum, issue.origin)}`
    case 'too_small':
      return `must ${extent('least', issue.minimum, issue.origin)}`
    case 'invalid_value':
      return `must be one of ${issue.values.map(String).join(', ')}`
    case 'invalid_format':
      return issue.format === 'datetime'
        ? 'must be a time that exists, such as 2026-01-31T12:00:00Z'
        : issue.message
    case 'invalid_type':
      // JSON has no undefined
      return issue.message.endsWith('received undefined')
        ? 'is missing'
        : `must be ${KINDS[issue.expected] ?? issue.expected}`
    default:
      return issue.message
  }
}

function extent(at: 'most' | 'least', limit: number | bigint, origin: string): string {
  const size = `at ${at} ${limit.toLocaleString('en')}`
  if (origin === 'string') return `have ${size} characters`
  return origin === 'array' ? `have ${size} items` : `be ${size}`
}

function keyOf(request: Request): string | undefined {
  const key = request.get('Idempotency-Key')
  if (key === undefined) return undefined
  if (key.length === 0 || key.length > 255)
    throw new Problem(400, 'bad_idempotency_key', 'An Idempotency-Key has 1 to 255 characters.')
  return key
}

function checkMatch(ifMatch: string | undefined, current: unknown): void {
  const tags = (ifMatch ?? '*').split(',').map((tag) => tag.trim())
  if (tags.includes('*') || tags.includes(entityTag(current))) return
  throw new Problem(412, 'changed_meanwhile', 'It was changed since you read it.', {
    advice: 'Look at it again, and make your change from there.',
  })
}

import { randomUUID } from 'node:crypto'
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import type { RouteName } from '../contracts/routes.ts'
import { bind, type Handlers, refuseOtherMethods } from './bind.ts'
import { createChanges } from './change.ts'
import type { ApiDeps } from './deps.ts'
import { checkRequest } from './guard.ts'
import { openApiDocument } from './openapi.ts'
import { servePages } from './pages.ts'
import { Problem, problemBody, toProblem } from './problem.ts'
import { goalRoutes } from './routes/goals.ts'
import { profileRoutes, projectRoutes } from './routes/projects.ts'
import { reviewRoutes } from './routes/reviews.ts'
import { suggestionRoutes } from './routes/suggestions.ts'
import { agentRoutes, poolRoutes, systemRoutes } from './routes/system.ts'

/** The HTTP side of Dispatch: guard, routes of the table, OpenAPI, metrics, pages, one error handler. */
export function createApp(deps: ApiDeps): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(observe(deps), securityHeaders, guard(deps))
  for (const [name, handler] of Object.entries(createHandlers(deps)))
    bind(app, name as RouteName, handler as never)
  app.get('/api/openapi.json', (_request, response) => {
    response.json(openApiDocument(deps.version))
  })
  app.get('/metrics', async (_request, response) => {
    response.type(deps.metrics.registry.contentType).send(await deps.metrics.registry.metrics())
  })
  refuseOtherMethods(app, ['/api/openapi.json', '/metrics'])
  if (deps.uiDir !== undefined) servePages(app, { dir: deps.uiDir, csp: CSP })
  app.use((request) => {
    throw new Problem(404, 'not_found', `There is nothing at ${request.path.slice(0, 200)}.`)
  })
  app.use(errorHandler(deps))
  return app
}

/** A handler for every route of the table: a missing one does not compile. */
function createHandlers(deps: ApiDeps): Handlers {
  const changes = createChanges(deps)
  return {
    ...systemRoutes(deps, changes),
    ...projectRoutes(deps, changes),
    ...profileRoutes(deps, changes),
    ...goalRoutes(deps, changes),
    ...reviewRoutes(deps, changes),
    ...agentRoutes(deps, changes),
    ...suggestionRoutes(deps, changes),
    ...poolRoutes(deps, changes),
  }
}

/** Gives each request an id and notes how long its answer took. Paths without their query: it may hold names. */
function observe({ log, metrics }: ApiDeps): RequestHandler {
  return (request, response, next) => {
    const started = performance.now()
    const requestId = randomUUID()
    response.locals['requestId'] = requestId
    response.set('X-Request-Id', requestId)
    response.once('finish', () => {
      const seconds = (performance.now() - started) / 1000
      const route: string = response.locals['route'] ?? 'other'
      metrics.requests.observe({ route, status: String(response.statusCode) }, seconds)
      const { method, path } = request
      log.debug({ requestId, method, path, status: response.statusCode, seconds }, 'answered')
    })
    next()
  }
}

/** Styles may stand in the page, because Radix sets some; nothing can be loaded from outside by them, see `img-src`. */
const CSP = [
  ...[
    "default-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "object-src 'none'",
    "base-uri 'none'",
  ],
  ...["form-action 'self'", "frame-ancestors 'none'"],
].join('; ')

const securityHeaders: RequestHandler = (request, response, next) => {
  response.set({
    'Content-Security-Policy': CSP,
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
    'X-Frame-Options': 'DENY',
  })
  if (request.path.startsWith('/api')) response.set('Cache-Control', 'no-store')
  next()
}

function guard(deps: ApiDeps): RequestHandler {
  return (request, _response, next) => next(checkRequest(request, deps))
}

function errorHandler({ log }: ApiDeps): ErrorRequestHandler {
  return (error, request, response, next) => {
    const requestId: string = response.locals['requestId']
    const { problem, unexpected } = toProblem(error)
    if (unexpected) log.error({ err: error, requestId, path: request.path }, 'request failed')
    if (response.headersSent) return next(error)
    response
      .status(problem.status)
      .set(problem.headers)
      .type('application/problem+json')
      .send(JSON.stringify(problemBody(problem, { requestId, instance: request.path })))
  }
}

import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Reply } from '../../contracts/api.ts'
import { type RouteName, routes } from '../../contracts/routes.ts'
import type { ProblemBody } from '../../contracts/schemas.ts'
import * as fixtures from './fixtures.ts'

export interface Received {
  route: RouteName
  params: Record<string, string>
  query: Record<string, string>
  body: unknown
  idempotencyKey: string | undefined
}

type Answers = { [N in RouteName]?: (request: Received) => Reply<N> | ProblemBody }

const list = <T>(...items: T[]) => ({ items, next: null })

const PROFILE = {
  id: fixtures.ids.profile,
  name: 'Demo',
  stages: fixtures.stageAgents,
  conventions: '',
  secondOpinion: null,
  fallbacks: [],
  network: null,
  createdAt: fixtures.goal.createdAt,
}

const DEFAULTS: Answers = {
  ready: () => ({
    ...{ status: 'ok', postgres: true, temporal: true, worker: true, workerSilentSince: null },
    undelivered: null,
  }),
  listProjects: () => list(fixtures.project),
  createProject: () => fixtures.project,
  getProject: () => fixtures.project,
  deleteProject: () => ({ id: fixtures.project.id }),
  updateProject: ({ body }) => ({ ...fixtures.project, ...(body as object) }),
  listGoals: ({ query: { status = 'active' } }) =>
    status === fixtures.goalSummary.status ? list(fixtures.goalSummary) : list(),
  createGoal: () => fixtures.goalSummary,
  getGoal: () => fixtures.goal,
  pauseGoal: () => ({ ...fixtures.goalSummary, status: 'paused', paused: true }),
  resumeGoal: () => fixtures.goalSummary,
  cancelGoal: () => ({ ...fixtures.goalSummary, status: 'cancelled' }),
  retryGoal: () => fixtures.goalSummary,
  listTasks: () => list(fixtures.task),
  getTask: () => fixtures.task,
  updateTask: ({ body }) => ({ ...fixtures.task, ...(body as object) }),
  getTaskDiff: () => fixtures.taskDiff,
  listReviews: () => list(fixtures.reviewSummary),
  getReview: () => fixtures.review,
  getReviewDiff: () => fixtures.reviewDiff,
  decideReview: ({ body }) => ({
    ...fixtures.review,
    status: (body as { decision: string }).decision === 'approve' ? 'approved' : 'rejected',
    decidedBy: 'me',
    via: 'cli',
  }),
  listAgents: () => list(fixtures.run),
  getAgent: () => ({ ...fixtures.run, corrections: [] }),
  getTranscript: () =>
    list({
      seq: 1,
      at: fixtures.goal.createdAt,
      role: 'agent',
      kind: 'text',
      content: { text: 'hello' },
    }),
  listSuggestions: () => list(fixtures.suggestion),
  acceptSuggestion: () => ({
    ...fixtures.suggestion,
    status: 'accepted',
    decidedBy: 'person:me',
  }),
  dismissSuggestion: () => ({
    ...fixtures.suggestion,
    status: 'dismissed',
    decidedBy: 'person:me',
  }),
  correctAgent: () => ({
    id: fixtures.run.id,
    runId: fixtures.run.id,
    text: 'Use tabs.',
    state: 'queued',
    note: null,
    by: 'person:me',
    createdAt: fixtures.goal.createdAt,
    deliveredAt: null,
    appliedAt: null,
  }),
  listAdapters: () => list(fixtures.adapter),
  getPool: () => fixtures.pool,
  pausePool: () => ({ ...fixtures.pool, paused: true, pausedBy: 'me' }),
  resumePool: () => fixtures.pool,
  listEvents: () =>
    list({
      stream: 'feed',
      seq: 1,
      feedSeq: 1,
      actor: 'person:me',
      at: fixtures.goal.createdAt,
      type: 'goal.created',
      data: { goalId: fixtures.ids.goal, title: 'Build auth module' },
    }),
  getLedger: () => ({
    items: [{ key: 'G-12', label: 'Build auth module', usage: fixtures.ledgerUsage }],
    next: null,
    total: fixtures.ledgerUsage,
  }),
  listProfiles: () => list(PROFILE),
  getProfile: () => PROFILE,
  createProfile: ({ body }) => ({ ...PROFILE, ...(body as object) }),
  updateProfile: ({ body }) => ({
    ...PROFILE,
    conventions: 'Use tabs.',
    ...(body as object),
    stages: PROFILE.stages,
  }),
  deleteProfile: () => ({ id: PROFILE.id }),
  scanAdapters: () => ({ asked: true }),
  getSettings: () => fixtures.settings,
  updateSettings: ({ body }) => ({ ...fixtures.settings, ...(body as object) }),
  runDoctor: () => ({ findings: [] }),
}

/**
 * A real HTTP and WebSocket server that answers from typed fixtures, and remembers what it was asked. An answer that
 * throws cuts the connection, as a killed server does.
 */
export async function startFixtureApi(answers: Answers = {}) {
  const received: Received[] = []
  const streams = new Map<string, object[]>()
  const subscribers = new Map<string, Set<WebSocket>>()
  const table: Answers = { ...DEFAULTS, ...answers }
  const server = createServer((request, response) => {
    void answer(request).then(
      ({ status, body }) => {
        response.writeHead(status, {
          'content-type': status < 400 ? 'application/json' : 'application/problem+json',
        })
        response.end(JSON.stringify(body))
      },
      () => request.socket.destroy(),
    )
  })

  async function answer(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    const found = match(request)
    const respond = found && table[found.route]
    if (!respond) return { status: 404, body: fixtures.problem({ status: 404, code: 'not_found' }) }
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const asked = { ...found, body: text ? JSON.parse(text) : undefined }
    received.push(asked)
    const body = (await respond(asked)) as object
    const status =
      'requestId' in body && 'code' in body
        ? (body as ProblemBody).status
        : routes[found.route].status
    return { status, body }
  }

  const sockets = new WebSocketServer({ server, path: '/ws' })
  sockets.on('connection', (socket) => {
    socket.send(JSON.stringify({ type: 'hello', version: '0' }))
    socket.on('message', (data) => {
      const message = JSON.parse(String(data)) as { type: string; stream: string; after: number }
      const { stream, after } = message
      if (message.type === 'unsubscribe') {
        subscribers.get(stream)?.delete(socket)
        server.emit('unsubscribed', stream)
        return
      }
      const stored = streams.get(stream) ?? []
      subscribers.set(stream, (subscribers.get(stream) ?? new Set()).add(socket))
      sendBatch(socket, stream, stored.slice(after))
      socket.send(JSON.stringify({ type: 'live', stream, seq: stored.length }))
      server.emit('subscribed', stream)
    })
  })

  function sendBatch(socket: WebSocket, stream: string, items: object[]) {
    if (items.length > 0)
      socket.send(JSON.stringify({ type: 'batch', stream, name: 'goal:status', items }))
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    answer: <N extends RouteName>(name: N, respond: NonNullable<Answers[N]>) => {
      Object.assign(table, { [name]: respond })
    },
    /** Appends to a stream; items get their seq. */
    push(stream: string, ...items: object[]) {
      const stored = streams.get(stream) ?? []
      const numbered = items.map((item, at) => ({ seq: stored.length + at + 1, ...item }))
      streams.set(stream, [...stored, ...numbered])
      for (const socket of subscribers.get(stream) ?? []) sendBatch(socket, stream, numbered)
    },
    unsubscribed: (stream: string) =>
      new Promise<void>((resolve) => {
        server.on('unsubscribed', (name) => name === stream && resolve())
      }),
    subscribed: (stream: string) =>
      new Promise<void>((resolve) => {
        if (subscribers.has(stream)) return resolve()
        server.on('subscribed', (name) => name === stream && resolve())
      }),
    async close() {
      for (const socket of sockets.clients) socket.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function match(request: IncomingMessage) {
  const url = new URL(request.url ?? '/', 'http://localhost')
  for (const [route, { method, path }] of Object.entries(routes)) {
    if (method !== request.method) continue
    const pattern = new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`)
    const params = pattern.exec(url.pathname)
    if (!params) continue
    const key = request.headers['idempotency-key']
    return {
      route: route as RouteName,
      params: Object.fromEntries(
        Object.entries(params.groups ?? {}).map(([name, value]) => [
          name,
          decodeURIComponent(value),
        ]),
      ),
      query: Object.fromEntries(url.searchParams),
      idempotencyKey: typeof key === 'string' ? key : undefined,
    }
  }
  return undefined
}

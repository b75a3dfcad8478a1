import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Logger } from 'pino'
import { type WebSocket, WebSocketServer } from 'ws'
import { type SocketMessage, type SocketRequest, socketRequest } from '../contracts/events.ts'
import type { Database } from '../db/connect.ts'
import { isRefusal } from '../db/refusal.ts'
import { headOf, resolveStream } from '../db/streams.ts'
import { createTranscriptReader } from '../db/transcript-reader.ts'
import { checkRequest, type GuardRules } from './guard.ts'
import type { Metrics } from './metrics.ts'
import { plainAnswer } from './server.ts'
import { createSubscription, type Subscription } from './subscription.ts'

export interface SocketHub {
  /** Takes the server's upgrades on `/ws`. */
  attach(server: Server, rules: GuardRules): void
  /** Something may have been written to this stream. */
  hint(stream: string): void
  /** Hints may have been lost: look at every stream. */
  hintAll(): void
  /** Tells the clients to come back later (1001) and ends. */
  close(): Promise<void>
}

export interface SocketHubDeps {
  database: Database
  log: Pick<Logger, 'warn' | 'debug'>
  metrics: Metrics
  version: string
  /** For tests; see the constant. */
  maxBuffered?: number
}

const MAX_CLIENTS = 200
const MAX_STREAMS = 200
const MAX_FRAME = 64 * 1024
const MAX_BUFFERED = 8 * 1024 * 1024
/** Notifications are hints: what a lost one told of is seen by then. */
const POLL_MS = 1_000
const PING_MS = 20_000

type SubscribeRequest = Extract<SocketRequest, { type: 'subscribe' }>

interface Client {
  socket: WebSocket
  streams: Map<string, Subscription>
  /** Ends with the last of its replays that waits. */
  turn: Promise<void>
  replays: number
  alive: boolean
}

/**
 * The live side: each client names streams and the last seq it has; it gets what is stored after that, `live` once it
 * has caught up, and from then on batches as they are stored. Rows are read from Postgres after each client's own
 * seq, so there is no gap and no duplicate however appends and reconnects fall.
 */
export function createSocketHub(deps: SocketHubDeps): SocketHub {
  const { database, log, metrics } = deps
  const clients = new Set<Client>()
  let closing = false
  const transcripts = createTranscriptReader(database.knex)
  const server = new WebSocketServer({
    ...{ noServer: true, perMessageDeflate: false, maxPayload: MAX_FRAME, clientTracking: false },
  })
  server.on('wsClientError', ({ message }, raw) =>
    raw.end(plainAnswer(400, 'bad_request', `${message}.`)),
  )

  function send(client: Client, message: SocketMessage): Promise<void> {
    const { socket } = client
    if (socket.readyState !== socket.OPEN) return Promise.resolve()
    if (client.replays === 0 && socket.bufferedAmount > (deps.maxBuffered ?? MAX_BUFFERED)) {
      metrics.slowClients.inc()
      // ws itself ends the connection when the client does not answer this within 30 s
      socket.close(4408, 'too slow: come back and go on after your last seq')
      return Promise.resolve()
    }
    if (message.type === 'batch') metrics.socketItems.inc(message.items.length)
    // the callback's error is the close that the handlers below see
    return new Promise((resolve) => socket.send(JSON.stringify(message), () => resolve()))
  }

  /** One replay after the other, so that one batch waits for the client and not one of each stream: it is not slow meanwhile. */
  async function sendInTurn(client: Client, message: SocketMessage): Promise<void> {
    client.replays += 1
    client.turn = client.turn.then(() => send(client, message))
    await client.turn
    client.replays -= 1
  }

  async function subscribe(client: Client, request: SubscribeRequest): Promise<void> {
    const { stream, last } = request
    const refuse = (code: string, detail: string) =>
      send(client, { type: 'error', code, detail, stream })
    if (client.streams.size >= MAX_STREAMS && !client.streams.has(stream))
      return refuse('too_many', `One connection has at most ${MAX_STREAMS} streams.`)
    const found = await resolveStream(database.knex, stream)
    if (isRefusal(found)) return refuse(found.refused, found.detail)
    const head = await headOf(database.knex, found)
    if (request.after > head)
      return refuse('resync', `The stream ends at ${head}: start again after 0.`)
    const after = last === undefined ? request.after : Math.max(request.after, head - last)
    if (client.socket.readyState !== client.socket.OPEN) return // it hung up meanwhile
    client.streams.get(stream)?.stop()
    const subscription = createSubscription({
      ...{ knex: database.knex, transcripts, stream: found, name: stream, after },
      replay: (message) => sendInTurn(client, message),
      send: (message) => send(client, message),
      onError: (error) => log.warn({ err: error, stream }, 'a live stream could not be read'),
    })
    client.streams.set(stream, subscription)
    subscription.pump()
  }

  async function handle(client: Client, data: unknown, isBinary: boolean): Promise<void> {
    const request = isBinary ? undefined : parseRequest(String(data))
    if (!request) {
      const detail = 'Send {"type":"subscribe","stream":…,"after":…} or {"type":"unsubscribe",…}.'
      return send(client, { type: 'error', code: 'invalid', detail })
    }
    if (request.type === 'subscribe') return subscribe(client, request)
    client.streams.get(request.stream)?.stop()
    client.streams.delete(request.stream)
  }

  function welcome(socket: WebSocket): void {
    const client: Client = {
      ...{ socket, streams: new Map(), alive: true },
      ...{ turn: Promise.resolve(), replays: 0 },
    }
    clients.add(client)
    metrics.sockets.set(clients.size)
    // one request at a time, in order: an unsubscribe never overtakes its subscribe
    let last = send(client, { type: 'hello', version: deps.version })
    socket.on('message', (data, isBinary) => {
      last = last
        .then(() => handle(client, data, isBinary))
        .catch((error) => {
          log.warn({ err: error }, 'a live request failed')
          socket.close(1011)
        })
    })
    socket.on('pong', () => {
      client.alive = true
    })
    socket.on('error', (error) => log.debug({ err: error }, 'a live connection broke'))
    socket.once('close', () => {
      for (const subscription of client.streams.values()) subscription.stop()
      clients.delete(client)
      metrics.sockets.set(clients.size)
    })
  }

  function upgrade(request: IncomingMessage, raw: Duplex, head: Buffer, rules: GuardRules): void {
    raw.on('error', (error) => log.debug({ err: error }, 'an upgrade broke'))
    const refused = checkRequest(request, rules)
    if (refused) return void raw.end(plainAnswer(refused.status, refused.code, refused.message))
    if (request.url?.split('?')[0] !== '/ws')
      return void raw.end(plainAnswer(404, 'not_found', 'Live connections are at /ws.'))
    // a page that is told to come back later does so at once, and would then hold the server open
    if (closing) return void raw.end(plainAnswer(503, 'ending', 'Dispatch is ending.'))
    if (clients.size >= MAX_CLIENTS)
      return void raw.end(plainAnswer(429, 'too_many', 'There are too many live connections.'))
    server.handleUpgrade(request, raw, head, welcome)
  }

  const each = (work: (subscription: Subscription) => void) => {
    for (const client of clients) for (const one of client.streams.values()) work(one)
  }
  const hintAll = () => each((one) => one.pump())
  const poll = setInterval(hintAll, POLL_MS)
  const ping = setInterval(() => {
    for (const client of clients) {
      if (!client.alive) client.socket.terminate()
      client.alive = false
      client.socket.ping()
    }
  }, PING_MS)

  return {
    attach(http, rules) {
      http.on('upgrade', (request, socket, head) => upgrade(request, socket, head, rules))
    },
    hint: (stream) =>
      each((one) => {
        if (one.covers(stream)) one.pump()
      }),
    hintAll,
    async close() {
      closing = true
      clearInterval(poll)
      clearInterval(ping)
      const ends = [...clients].map(({ socket }) => {
        const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
        socket.close(1001, 'Dispatch is ending')
        const timer = setTimeout(() => socket.terminate(), 1_000)
        return closed.then(() => clearTimeout(timer))
      })
      await Promise.all(ends)
      server.close()
    },
  }
}

function parseRequest(text: string) {
  try {
    return socketRequest.safeParse(JSON.parse(text)).data
  } catch {
    return undefined // not JSON: answered like any other bad request
  }
}

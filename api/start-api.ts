import type { Logger } from 'pino'
import { reachableAt } from '../config/ports.ts'
import { EVENTS_CHANNEL } from '../db/events.ts'
import { listen } from '../db/listen.ts'
import { OUTBOX_CHANNEL } from '../db/outbox.ts'
import { TRANSCRIPTS_CHANNEL } from '../db/transcripts.ts'
import { createApp } from './app.ts'
import type { ApiDeps } from './deps.ts'
import { createDispatcher } from './dispatcher.ts'
import { createMetrics } from './metrics.ts'
import { closeServer, createHttpServer, listenOn } from './server.ts'
import { createSocketHub } from './socket.ts'
import type { TemporalGateway } from './temporal-gateway.ts'

export interface StartApiOptions
  extends Omit<ApiDeps, 'metrics' | 'temporalReady' | 'onChange' | 'allowedHosts' | 'log'> {
  log: Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>
  temporal: TemporalGateway
  taskQueue: string
  host: string
  /** Wanted port; the next ones are tried when it is taken. 0 is any. */
  port: number
  /** `host` or `host:port` values besides loopback that may stand in Host. */
  extraHosts?: readonly string[]
}

export interface RunningApi {
  port: number
  close(): Promise<void>
}

const GRACE_MS = 5_000

/** Puts the API together and listens: HTTP, live connections, the dispatcher and what wakes them. */
export async function startApi(options: StartApiOptions): Promise<RunningApi> {
  const { database, log, temporal, host, extraHosts = [] } = options
  const metrics = createMetrics(database)
  let hosts: readonly string[] = []
  const allowedHosts = () => hosts
  const hub = createSocketHub({ database, log, metrics, version: options.version })
  const app = createApp({
    ...options,
    metrics,
    allowedHosts,
    temporalReady: () => temporal.ready(),
    onChange: () => dispatcher.wake(),
  })
  const server = createHttpServer(app)
  hub.attach(server, { allowedHosts })
  const port = await listenOn(server, host, options.port)
  hosts = namesOf(host, port, extraHosts)
  const dispatcher = createDispatcher({
    database,
    log,
    client: () => temporal.client(),
    taskQueue: options.taskQueue,
    goalUrl: (goalId) => `http://${reachableAt(host, port)}/goals/${goalId}`,
    onDelivered: (count) => metrics.outboxDelivered.inc(count),
  })
  const listener = listen({
    url: database.url,
    channels: [EVENTS_CHANNEL, TRANSCRIPTS_CHANNEL, OUTBOX_CHANNEL],
    onNotify(channel, payload) {
      if (channel === OUTBOX_CHANNEL) dispatcher.wake()
      else hub.hint(channel === TRANSCRIPTS_CHANNEL ? `run/${payload}` : payload)
    },
    onConnected() {
      dispatcher.wake()
      hub.hintAll()
    },
    onError: (error) => log.warn({ err: error }, 'lost the connection that listens'),
  })
  return {
    port,
    async close() {
      await hub.close()
      await closeServer(server, GRACE_MS)
      await Promise.all([listener.close(), dispatcher.close()])
    },
  }
}

/** Every name under which this machine reaches us. */
function namesOf(host: string, port: number, extra: readonly string[]): string[] {
  const own = [host, '127.0.0.1', 'localhost', '::1'].map((name) => reachableAt(name, port))
  return [...own, ...extra.map((name) => name.trim().toLowerCase())]
}

import type { SocketMessage } from '../contracts/events.ts'

export interface LiveItem {
  seq: number
  [key: string]: unknown
}

/** As much of a WebSocket as is needed: the browser's and the one of `ws` both fit. */
export interface SocketLike {
  send(data: string): void
  close(code?: number, reason?: string): void
  addEventListener(type: 'open' | 'error', listener: () => void): void
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void
  addEventListener(type: 'close', listener: (event: { code: number; reason: string }) => void): void
}

/** The server refused the stream: it does not exist, or the last seq is not one of it. */
export class StreamError extends Error {
  readonly code: string
  constructor(code: string, detail: string) {
    super(detail)
    this.name = 'StreamError'
    this.code = code
  }
}

/**
 * `lost`: nothing is shown as new until the connection is back. `since`: up to when all was heard; `retryAt`: when it is tried next
 * (ms since 1970).
 */
export type LiveConnection =
  | { state: 'connecting' }
  | { state: 'live' }
  | { state: 'lost'; since: number; retryAt: number }

export interface Topic {
  stream: string
  /** The last seq that is known already; 0 for everything. */
  after: number
  /** Begin with the newest so many instead; 0 for only what comes. */
  last?: number
  /** Items in order, without a gap or a repeat, as many at once as came at once. */
  onItems(items: LiveItem[]): void
  /** What was stored before has been given; called again after each reconnect. */
  onLive?(): void
  /** The stream does not exist, or ends before what we know of it (`resync`): it gets nothing more. */
  onRefused?(error: StreamError): void
}

export interface LiveSocket {
  /** Returns the way to end it. */
  subscribe(topic: Topic): () => void
  /** Connects now instead of at `retryAt`; a connection that seems to be there is asked whether it is. */
  retry(): void
  close(): void
}

export interface LiveSocketOptions {
  /** `http://host:port` of the server. */
  baseUrl: string
  open: (url: string) => SocketLike
  onConnection?: (connection: LiveConnection) => void
  /** Said by the server on each connect. */
  onVersion?: (version: string) => void
}

interface Subscribed {
  topic: Topic
  /** The last seq that was given; undefined until the server said where the stream begins for us. */
  seq: number | undefined
  asked: boolean
}

const FIRST_WAIT_MS = 250
const LAST_WAIT_MS = 10_000
/** A server that starts again is back soon: for so long it is asked often. */
const SOON_MS = 30_000
const SOON_WAIT_MS = 1_000
/** A connection may end without a word, after a sleep or behind a tunnel: one that was quiet for so long is asked for an answer. */
const QUIET_MS = 20_000
/** The server answers at once; without an answer for so long it is lost. */
const ANSWER_MS = 10_000

/**
 * One socket for any number of streams. When the connection is lost it is made again, and every stream goes on after the
 * last seq it gave. One topic a stream: whoever shares one, shares its topic.
 */
export function createLiveSocket(options: LiveSocketOptions): LiveSocket {
  const topics = new Map<string, Subscribed>()
  const url = `${options.baseUrl.replace(/^http/, 'ws').replace(/\/+$/, '')}/ws`
  let socket: SocketLike | undefined
  let ready = false
  let closed = false
  let wait = FIRST_WAIT_MS
  /** Since when nothing is known, and since when that is known. */
  let lost: { since: number; at: number } | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let silence: ReturnType<typeof setTimeout> | undefined
  let heardAt = 0

  const send = (message: object) => socket?.send(JSON.stringify(message))

  function ask(one: Subscribed): void {
    const { stream, after, last } = one.topic
    const fresh = one.seq === undefined && last !== undefined
    send({ type: 'subscribe', stream, after: one.seq ?? after, ...(fresh ? { last } : {}) })
    one.asked = true
  }

  /** Unless something is heard meanwhile. */
  function onSilence(ms: number, act: () => void): void {
    clearTimeout(silence)
    silence = setTimeout(act, ms)
  }

  /** Whatever is followed is asked for once more after its last seq, which the server answers with `live`. */
  function probe(): void {
    const [one] = topics.values()
    onSilence(one ? ANSWER_MS : QUIET_MS, one ? () => lose(heardAt) : probe)
    if (one) ask(one)
  }

  function connect(): void {
    clearTimeout(timer)
    if (closed || socket) return
    onSilence(ANSWER_MS, () => lose())
    if (!lost) options.onConnection?.({ state: 'connecting' })
    const mine = options.open(url)
    socket = mine
    mine.addEventListener('open', () => {
      if (socket !== mine) return
      ready = true
      heardAt = Date.now()
      wait = FIRST_WAIT_MS
      lost = undefined
      options.onConnection?.({ state: 'live' })
      onSilence(QUIET_MS, probe)
      for (const one of topics.values()) ask(one)
    })
    mine.addEventListener('message', ({ data }) => {
      if (socket !== mine) return
      heardAt = Date.now()
      onSilence(QUIET_MS, probe)
      receive(JSON.parse(String(data)) as SocketMessage)
    })
    const onEnd = () => {
      if (socket === mine) lose()
    }
    mine.addEventListener('error', onEnd)
    mine.addEventListener('close', onEnd)
  }

  function lose(since = Date.now()): void {
    clearTimeout(silence)
    socket?.close()
    socket = undefined
    ready = false
    for (const one of topics.values()) one.asked = false
    if (closed) return
    lost ??= { since, at: Date.now() }
    options.onConnection?.({ state: 'lost', since: lost.since, retryAt: Date.now() + wait })
    timer = setTimeout(connect, wait)
    const soon = Date.now() - lost.at < SOON_MS
    wait = Math.min(soon ? SOON_WAIT_MS : LAST_WAIT_MS, wait * 2)
  }

  function receive(message: SocketMessage): void {
    if (message.type === 'hello') options.onVersion?.(message.version)
    else {
      const one = topics.get(message.stream ?? '')
      if (one?.asked) receiveFor(one, message)
    }
  }

  function receiveFor(one: Subscribed, message: Exclude<SocketMessage, { type: 'hello' }>): void {
    if (message.type === 'batch') take(one, message.items)
    else if (message.type === 'live') {
      one.seq ??= message.seq
      one.topic.onLive?.()
    } else {
      topics.delete(one.topic.stream)
      one.topic.onRefused?.(new StreamError(message.code, message.detail))
    }
  }

  function take(one: Subscribed, items: LiveItem[]): void {
    const begin = one.seq ?? (one.topic.last === undefined ? one.topic.after : undefined)
    const fresh = begin === undefined ? items : items.filter(({ seq }) => seq > begin)
    const [first] = fresh
    const end = fresh.at(-1)
    if (!first || !end) return
    const whole = end.seq - first.seq === fresh.length - 1
    // a hole: replayed from the last seq
    if (!whole || (begin !== undefined && first.seq !== begin + 1)) ask(one)
    else {
      one.seq = end.seq
      one.topic.onItems(fresh)
    }
  }

  connect()
  return {
    subscribe(topic) {
      const one: Subscribed = { topic, seq: undefined, asked: false }
      topics.set(topic.stream, one)
      if (ready) ask(one)
      return () => {
        if (topics.get(topic.stream) !== one) return
        topics.delete(topic.stream)
        if (ready) send({ type: 'unsubscribe', stream: topic.stream })
      }
    },
    retry: () => (ready ? probe() : connect()),
    close() {
      closed = true
      clearTimeout(timer)
      clearTimeout(silence)
      socket?.close()
    },
  }
}

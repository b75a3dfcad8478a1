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

export type ConnectionState = 'connecting' | 'live' | 'lost'

export interface LiveStreamOptions {
  /** `http://host:port` of the server. */
  baseUrl: string
  stream: string
  /** The last seq that is known already; 0 for everything. */
  after: number
  signal: AbortSignal
  open: (url: string) => SocketLike | Promise<SocketLike>
  onState?: (state: ConnectionState) => void
}

const FIRST_WAIT_MS = 250
const LAST_WAIT_MS = 10_000

/** The server refused the stream: it does not exist, or the last seq is not one of it. */
export class StreamError extends Error {
  readonly code: string
  constructor(code: string, detail: string) {
    super(detail)
    this.name = 'StreamError'
    this.code = code
  }
}

type Inbox = { messages: LiveItem[]; ended?: { error?: Error }; wake: (() => void) | undefined }

/**
 * The items of a stream after a seq, in order, without a gap or a repeat, for ever: when the connection is lost it is
 * made again and goes on after the last seq. Ends when `signal` aborts; throws StreamError when the stream is refused.
 */
export async function* liveStream(options: LiveStreamOptions): AsyncGenerator<LiveItem> {
  const { signal } = options
  let last = options.after
  let wait = FIRST_WAIT_MS
  while (!signal.aborted) {
    options.onState?.('connecting')
    for await (const item of connection(options, last)) {
      if (item.seq <= last) continue
      if (item.seq !== last + 1) break // a hole: connect again, and it is replayed
      last = item.seq
      wait = FIRST_WAIT_MS
      yield item
    }
    if (signal.aborted) return
    options.onState?.('lost')
    await pause(wait, signal)
    wait = Math.min(LAST_WAIT_MS, wait * 2)
  }
}

/** The items of one connection; ends when it is lost. */
async function* connection(options: LiveStreamOptions, after: number): AsyncGenerator<LiveItem> {
  const { stream, signal } = options
  const inbox: Inbox = { messages: [], wake: undefined }
  const end = (error?: Error) => {
    inbox.ended ??= error ? { error } : {}
    inbox.wake?.()
  }
  const socket = await openSocket(options)
  if (!socket) return
  const onAbort = () => end()
  signal.addEventListener('abort', onAbort)
  socket.addEventListener('open', () =>
    socket.send(JSON.stringify({ type: 'subscribe', stream, after })),
  )
  socket.addEventListener('error', () => end())
  socket.addEventListener('close', () => end())
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as SocketMessage
    if (message.type === 'batch') inbox.messages.push(...message.items)
    else if (message.type === 'live') options.onState?.('live')
    else if (message.type === 'error') end(new StreamError(message.code, message.detail))
    inbox.wake?.()
  })
  try {
    while (!signal.aborted) {
      const item = inbox.messages.shift()
      if (item) yield item
      else if (inbox.ended?.error) throw inbox.ended.error
      else if (inbox.ended) return
      else
        await new Promise<void>((resolve) => {
          inbox.wake = resolve
        })
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    socket.close()
  }
}

async function openSocket(options: LiveStreamOptions): Promise<SocketLike | undefined> {
  const url = `${options.baseUrl.replace(/^http/, 'ws').replace(/\/+$/, '')}/ws`
  return options.signal.aborted ? undefined : options.open(url)
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done)
  })
}

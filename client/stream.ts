import WebSocket from 'ws'
import { createLiveSocket, type LiveItem, type LiveSocket, type SocketLike } from './live-socket.ts'

export interface StreamOptions {
  /** The last seq that is known already; 0 for everything. */
  after: number
  signal: AbortSignal
}

/**
 * Streams for Node 20, which has no WebSocket of its own. Load it lazily: most commands need none. Gives the items of a
 * stream after a seq, in order, without a gap or a repeat, for ever, across reconnects. A stream ends when its `signal`
 * aborts, and throws StreamError when it is refused. All share one connection, which is closed with the last of them.
 */
export function createStreams({
  baseUrl,
  open = (url) => new WebSocket(url, { perMessageDeflate: false }) as SocketLike,
}: {
  baseUrl: string
  open?: (url: string) => SocketLike
}): (stream: string, options: StreamOptions) => AsyncGenerator<LiveItem> {
  let socket: LiveSocket | undefined
  let readers = 0
  return async function* items(stream, { after, signal }) {
    if (signal.aborted) return
    const waiting: LiveItem[] = []
    let refused: Error | undefined
    let wake: () => void = () => undefined
    const onAbort = () => wake()
    socket ??= createLiveSocket({ baseUrl, open })
    readers += 1
    const end = socket.subscribe({
      ...{ stream, after },
      onItems(more) {
        waiting.push(...more)
        wake()
      },
      onRefused(error) {
        refused = error
        wake()
      },
    })
    signal.addEventListener('abort', onAbort)
    try {
      while (!signal.aborted) {
        const item = waiting.shift()
        if (item) yield item
        else if (refused) throw refused
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
      end()
      readers -= 1
      if (readers === 0) {
        socket?.close()
        socket = undefined
      }
    }
  }
}

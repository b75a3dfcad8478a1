import WebSocket from 'ws'
import {
  type LiveItem,
  type LiveStreamOptions,
  liveStream,
  type SocketLike,
} from './live-stream.ts'

/** `liveStream` for Node 20, which has no WebSocket of its own. Load it lazily: most commands need none. */
export function subscribe(options: Omit<LiveStreamOptions, 'open'>): AsyncGenerator<LiveItem> {
  return liveStream({
    ...options,
    open: (url) => new WebSocket(url, { perMessageDeflate: false }) as SocketLike,
  })
}

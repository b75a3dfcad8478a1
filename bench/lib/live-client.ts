import WebSocket from 'ws'
import type { SocketMessage } from '../../contracts/events.ts'

type Item = { seq: number; [key: string]: unknown }

/** A client of `/ws` that tells of items as they arrive. */
export interface LiveClient {
  /** Resolves when the replay has caught up. */
  subscribe(stream: string, after: number, onItem: (item: Item) => void): Promise<void>
  unsubscribe(stream: string): void
  close(): void
}

export async function openLive(url: string): Promise<LiveClient> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, { perMessageDeflate: false })
  const streams = new Map<
    string,
    { onItem: (item: Item) => void; live: () => void; failed: (error: Error) => void }
  >()
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as SocketMessage
    if (message.type === 'hello') return
    const stream = streams.get(message.stream ?? '')
    if (message.type === 'batch') for (const item of message.items) stream?.onItem(item)
    if (message.type === 'live') stream?.live()
    if (message.type === 'error') stream?.failed(new Error(`${message.code}: ${message.detail}`))
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', reject)
  })
  return {
    subscribe: (stream, after, onItem) =>
      new Promise((live, failed) => {
        streams.set(stream, { onItem, live, failed })
        socket.send(JSON.stringify({ type: 'subscribe', stream, after }))
      }),
    unsubscribe(stream) {
      streams.delete(stream)
      socket.send(JSON.stringify({ type: 'unsubscribe', stream }))
    },
    close: () => socket.close(),
  }
}

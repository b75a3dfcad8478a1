import { ANSWER_SECONDS, type Client, createCaller, type Transport } from './caller.ts'
import { createLiveSocket, type LiveSocket, type LiveSocketOptions } from './live-socket.ts'

const browserFetch: Transport = async ({ method, url, headers, body }) => {
  const response = await globalThis.fetch(url, {
    method,
    headers,
    signal: AbortSignal.timeout(ANSWER_SECONDS * 1000),
    ...(body === undefined ? {} : { body }),
  })
  return { status: response.status, text: await response.text() }
}

/** The client for a page that Dispatch serves. */
export function createBrowserClient(baseUrl: string): Client {
  return createCaller({ baseUrl, transport: browserFetch })
}

/** `createLiveSocket` over the browser's own WebSocket. */
export function openLiveSocket(options: Omit<LiveSocketOptions, 'open'>): LiveSocket {
  return createLiveSocket({ ...options, open: (url) => new globalThis.WebSocket(url) })
}

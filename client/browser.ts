import { type Client, createCaller, type Transport } from './caller.ts'
import { type LiveItem, type LiveStreamOptions, liveStream } from './live-stream.ts'

const browserFetch: Transport = async ({ method, url, headers, body }) => {
  const response = await globalThis.fetch(url, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  })
  return { status: response.status, text: await response.text() }
}

/** The client for a page that Dispatch serves. */
export function createBrowserClient(baseUrl: string): Client {
  return createCaller({ baseUrl, transport: browserFetch })
}

/** `liveStream` over the browser's own WebSocket. */
export function subscribeInBrowser(
  options: Omit<LiveStreamOptions, 'open'>,
): AsyncGenerator<LiveItem> {
  return liveStream({ ...options, open: (url) => new globalThis.WebSocket(url) })
}

import { randomBytes } from 'node:crypto'
import type { ServerResponse } from 'node:http'

/** What the dialects have in common: HTTP and the form of server-sent events, not their words. */
export const EVENT_STREAM = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }

export const newId = (prefix: string) => `${prefix}_${randomBytes(12).toString('hex')}`

export function sendJson(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Record<string, string> = {},
): void {
  const own = { 'content-type': 'application/json', ...headers }
  response.writeHead(status, own).end(JSON.stringify(body))
}

/** The text in so many pieces of one length. */
export function cut(text: string, pieces: number): string[] {
  const size = Math.max(1, Math.ceil(text.length / pieces))
  return Array.from({ length: Math.ceil(text.length / size) }, (_, index) =>
    text.slice(index * size, (index + 1) * size),
  )
}

/** Cuts the connection after the beginning is on its way: an answer that breaks off, not an empty one. */
export async function breakOff(response: ServerResponse, last: string): Promise<void> {
  await new Promise((sent) => response.write(last, sent))
  response.destroy()
}

/** An answer that is no event stream. */
export const sendGarbage = (response: ServerResponse) =>
  void response.writeHead(200, EVENT_STREAM).end('data: {this is not JSON\n\n')

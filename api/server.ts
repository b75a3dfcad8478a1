import { createServer, type RequestListener, type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ConfigError } from '../config/config.ts'
import { peerOf } from './peer.ts'

/** The limits of every connection: how large headers may be and how long a request may take to arrive. */
const LIMITS = {
  maxHeaderSize: 16 * 1024,
  headersTimeout: 15_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 10_000,
  connectionsCheckingInterval: 5_000,
}

/** An HTTP server with our limits; what Node itself refuses is answered in the same form as all else. */
export function createHttpServer(listener: RequestListener): Server {
  const server = createServer(LIMITS, listener)
  server.on('connection', (socket) => peerOf(socket)) // who hangs up at once can no longer be told when the request is looked at
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy()
      return
    }
    const status =
      error.code === 'HPE_HEADER_OVERFLOW'
        ? 431
        : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
          ? 408
          : 400
    socket.end(plainAnswer(status, 'bad_request', 'The request is malformed.'))
  })
  return server
}

/** A problem as raw HTTP, for connections that express never sees. */
export function plainAnswer(status: number, code: string, detail: string): string {
  const title = STATUS_CODES[status] ?? 'Error'
  const type = `urn:dispatch:problem:${code}`
  const body = JSON.stringify({ type, title, status, code, detail, requestId: '' })
  return [
    `HTTP/1.1 ${status} ${title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}

/** Listens on `port`, else on one of the next 20, else on any that is free. Resolves with the port. Throws ConfigError where this process may not listen there. */
export async function listenOn(server: Server, host: string, port: number): Promise<number> {
  const wanted = port === 0 ? [] : Array.from({ length: 20 }, (_, i) => port + i)
  for (const one of wanted.filter((p) => p < 65_536)) {
    try {
      return await listenOnce(server, host, one)
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code === 'EADDRINUSE') continue
      throw new ConfigError(
        `the API cannot listen on ${host}:${one} (${message}): choose another port (--port, DISPATCH_PORT) or address (DISPATCH_HOST)`,
        { cause: error },
      )
    }
  }
  return listenOnce(server, host, 0)
}

function listenOnce(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

/** Stops taking requests, lets those at work finish, and ends the rest after `graceMs`. */
export async function closeServer(server: Server, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(timer)
}

import { createServer, type Server, type Socket } from 'node:net'
import { createLineSplitter } from '../adapters/line-splitter.ts'
import type { RunCommand } from '../contracts/agent.ts'
import type { EventLog } from './event-log.ts'
import { SOCKET_FILE } from './run-files.ts'

/** Lines that a client sends to a run's socket. Events come back as they are stored; a command is answered with its number. */
export type SocketRequest = { subscribe: number } | { command: RunCommand; n: number }
export interface SocketAnswer {
  ack: number
}

export interface RunSocket {
  listening: Promise<void>
  /** New events are in the log. */
  notify(): void
  /** Lets every reader have the rest, then closes. */
  close(): Promise<void>
}

/** A reader that takes nothing for this long at the end is left to the file. */
const LAST_WORDS_MS = 5000

/**
 * Serves one run's events and takes its commands. Readers are fed from the file, each at its own pace: no reader costs memory or
 * slows another, and none sees a gap or a duplicate. Listens in the working directory, because a socket's path is limited to about 100 bytes.
 */
export function openRunSocket(log: EventLog, onCommand: (command: RunCommand) => void): RunSocket {
  const readers = new Set<Reader>()
  const server = createServer((socket) => serve(socket, { log, readers, onCommand }))
  const listening = new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(SOCKET_FILE, resolve)
  })
  return {
    listening,
    notify: () => {
      for (const reader of readers) reader.pump()
    },
    close: () => closeServer(server, readers),
  }
}

interface Reader {
  socket: Socket
  pump(): void
  end(): void
}

function serve(
  socket: Socket,
  context: { log: EventLog; readers: Set<Reader>; onCommand: (command: RunCommand) => void },
): void {
  const splitter = createLineSplitter()
  let reader: Reader | undefined
  // A client that goes away is none of our business: it comes back and asks from its last seq.
  socket.on('error', () => socket.destroy())
  socket.on('close', () => {
    if (reader) context.readers.delete(reader)
  })
  socket.on('data', (chunk) => {
    for (const { text } of splitter.push(chunk)) {
      const request = parseRequest(text)
      if (!request) return void socket.destroy()
      if ('command' in request) {
        context.onCommand(request.command)
        socket.write(`${JSON.stringify({ ack: request.n } satisfies SocketAnswer)}\n`)
        continue
      }
      reader ??= createReader(socket, context.log, request.subscribe)
      context.readers.add(reader)
      reader.pump()
    }
  })
}

function createReader(socket: Socket, log: EventLog, afterSeq: number): Reader {
  let offset = log.offsetFor(afterSeq)
  let ending = false
  const pump = () => {
    while (!socket.writableNeedDrain && socket.writable) {
      const lines = log.read(offset)
      if (lines.length === 0) {
        if (ending) socket.end()
        return
      }
      offset += lines.length
      socket.write(lines)
    }
  }
  socket.on('drain', pump)
  return {
    socket,
    pump,
    end() {
      ending = true
      pump()
    },
  }
}

function parseRequest(text: string): SocketRequest | undefined {
  try {
    return JSON.parse(text) as SocketRequest
  } catch {
    return undefined
  }
}

async function closeServer(server: Server, readers: Set<Reader>): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve))
  for (const reader of readers) reader.end()
  const timer = setTimeout(() => {
    for (const { socket } of readers) socket.destroy()
  }, LAST_WORDS_MS)
  // Connections that only send commands end with their client; they get their answer and no more.
  await Promise.all([...readers].map(({ socket }) => ended(socket)))
  clearTimeout(timer)
  await Promise.race([closed, new Promise((resolve) => setImmediate(resolve))])
}

function ended(socket: Socket): Promise<void> {
  if (socket.closed) return Promise.resolve()
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

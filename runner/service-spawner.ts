import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { isErrno } from '../adapters/is-errno.ts'
import { afterPatience } from '../contracts/patience.ts'
import { type Asking, noAnswer, type SpawnerClient, spawnerClient } from './ask-spawner.ts'
import type { Order, Reply, SpawnReply, SpawnRequest } from './spawner-messages.ts'

/** Where the spawner service of a home listens. */
export const serviceSocket = (home: string) => join(home, 'spawner.sock')

/**
 * Nobody starts runs and checks at the moment. `code` is that of a refused connection: it gets better by itself, and whoever waits
 * for it is tried again.
 */
export class NoSpawnerService extends Error {
  readonly code = 'ECONNREFUSED'
  constructor(home: string, cause: Error) {
    super(
      `no agent or check can be started: nothing answers at ${serviceSocket(home)}; is the service "runners" up?`,
      { cause },
    )
  }
}

/** Has orders taken by the home's spawner service, which lives apart from this process and its container. */
export function createServiceSpawner(home: string): SpawnerClient {
  return spawnerClient({
    ask: (order, asking) => ask(home, order, asking),
    close: async () => undefined,
  })
}

/** A connection for each order: when it closes, whoever asked is gone. */
async function ask(home: string, order: Order, { seconds, signal }: Asking): Promise<Reply> {
  const socket = await connectToService(home)
  const late = new Error(noAnswer(seconds))
  const stopWaiting = afterPatience(seconds, () => socket.destroy(late))
  const say = (request: SpawnRequest) => socket.write(`${JSON.stringify(request)}\n`)
  const unwanted = () => say({ n: 1, unwanted: true })
  signal?.addEventListener('abort', unwanted, { once: true })
  try {
    say({ ...order, n: 1 })
    if (signal?.aborted) unwanted()
    let line = ''
    for await (const chunk of socket.setEncoding('utf8')) {
      line += chunk
      if (line.endsWith('\n')) return (JSON.parse(line) as SpawnReply).result
    }
    throw new NoSpawnerService(home, new Error('it ended before it answered'))
  } catch (error) {
    if (error === late) return { error: late.message }
    if (isErrno(error, 'ECONNRESET', 'EPIPE')) throw new NoSpawnerService(home, error as Error)
    throw error
  } finally {
    stopWaiting()
    signal?.removeEventListener('abort', unwanted)
    socket.destroy()
  }
}

/** A connection to the service; throws NoSpawnerService when nobody listens. */
export function connectToService(home: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(serviceSocket(home))
    socket.once('connect', () => {
      socket.removeAllListeners('error')
      resolve(socket)
    })
    socket.once('error', (error) =>
      reject(isErrno(error, 'ENOENT', 'ECONNREFUSED') ? new NoSpawnerService(home, error) : error),
    )
  })
}

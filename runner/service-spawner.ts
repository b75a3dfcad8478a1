import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import { isErrno } from '../adapters/is-errno.ts'
import { ANSWER_MS, NO_ANSWER, type SpawnerClient } from './spawner-client.ts'
import type { Assignment, RunnerReply, SpawnReply } from './spawner-messages.ts'

/** Where the spawner service of a home listens. */
export const serviceSocket = (home: string) => join(home, 'spawner.sock')

/**
 * Nobody starts runs at the moment. `code` is that of a refused connection: it gets better by itself, and whoever waits
 * for it is tried again.
 */
export class NoSpawnerService extends Error {
  readonly code = 'ECONNREFUSED'
  constructor(home: string, cause: Error) {
    super(
      `no agent can be started: nothing answers at ${serviceSocket(home)}; is the service "runners" up?`,
      { cause },
    )
  }
}

/** Has runners started by the home's spawner service, which lives apart from this process and its container. */
export function createServiceSpawner(home: string): SpawnerClient {
  let closed = false
  return {
    async launch(assignment) {
      if (closed) throw new Error('the runner client is closed')
      // a second time when the first runner fell over: an assignment can be repeated safely
      const first = await ask(home, assignment)
      const result = typeof first === 'string' ? first : await ask(home, assignment)
      if (typeof result === 'string') return result
      throw new Error(`run ${assignment.runId} could not be started: ${result.error}`)
    },
    async close() {
      closed = true
    },
  }
}

async function ask(home: string, assignment: Assignment): Promise<RunnerReply | { error: string }> {
  const socket = await connectToService(home)
  const late = new Error(NO_ANSWER)
  const timer = setTimeout(() => socket.destroy(late), ANSWER_MS)
  try {
    socket.write(`${JSON.stringify(assignment)}\n`)
    let line = ''
    for await (const chunk of socket) {
      line += chunk
      if (line.endsWith('\n')) return (JSON.parse(line) as SpawnReply).result
    }
    throw new NoSpawnerService(home, new Error('it ended before it answered'))
  } catch (error) {
    if (error === late) return { error: late.message }
    if (isErrno(error, 'ECONNRESET', 'EPIPE')) throw new NoSpawnerService(home, error as Error)
    throw error
  } finally {
    clearTimeout(timer)
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

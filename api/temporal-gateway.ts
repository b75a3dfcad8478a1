import { setTimeout as delay } from 'node:timers/promises'
import type { Client, Connection } from '@temporalio/client'

/** Temporal as the API needs it: it may be away, and everything that only reads goes on. */
export interface TemporalGateway {
  /** A client whose server answered just now, or a rejection that says what to check. */
  client(): Promise<Client>
  /** Whether it answers now. */
  ready(): Promise<boolean>
  close(): Promise<void>
}

const ANSWER_MS = 1_000
/** After its deadline a question may still wait for the SDK's last pause between tries, then it ends. */
const LAST_TRY_MS = 1_000

/**
 * Connects when first asked and keeps the connection (gRPC connects again by itself). `connect` opens one,
 * `toClient` makes the client of it.
 */
export function createTemporalGateway(deps: {
  connect: () => Promise<Connection>
  toClient: (connection: Connection) => Client
}): TemporalGateway {
  let opened: Promise<{ connection: Connection; client: Client }> | undefined
  let closed = false

  const open = () => {
    opened ??= deps.connect().then(
      (connection) => ({ connection, client: deps.toClient(connection) }),
      (error: Error) => {
        opened = undefined // the next caller tries again
        throw error
      },
    )
    return opened
  }

  const asked = new Set<Promise<unknown>>()
  const ask = async (connection: Connection) => {
    const answer = connection.withDeadline(Date.now() + ANSWER_MS, () =>
      connection.workflowService.getSystemInfo({}),
    )
    asked.add(answer)
    await answer.finally(() => asked.delete(answer))
  }

  return {
    async client() {
      const { connection, client } = await open()
      await ask(connection)
      return client
    },
    async ready() {
      if (closed) return false
      const answer = open().then(async ({ connection }) => {
        await ask(connection)
        return true
      })
      // that it does not answer is the answer; a connection that is being opened goes on without us
      return Promise.race([answer.catch(() => false), delay(ANSWER_MS, false, { ref: false })])
    },
    async close() {
      closed = true
      const closing = opened?.then(
        async ({ connection }) => {
          // the SDK's next try on a closed channel would throw from a timer, past every handler
          await Promise.allSettled(asked)
          await connection.close()
        },
        () => undefined, // it never opened
      )
      // one that is still being opened is not worth waiting for: the process ends
      await Promise.race([closing, delay(ANSWER_MS + LAST_TRY_MS, undefined, { ref: false })])
    },
  }
}

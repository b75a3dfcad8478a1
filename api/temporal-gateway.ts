import type { Client, Connection } from '@temporalio/client'

/** Temporal as the API needs it: it may be away, and everything that only reads goes on. */
export interface TemporalGateway {
  /** A client that worked a moment ago, or a rejection that says what to check. */
  client(): Promise<Client>
  /** Whether it answers now. */
  ready(): Promise<boolean>
  close(): Promise<void>
}

const ANSWER_MS = 1_000

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

  return {
    client: async () => (await open()).client,
    async ready() {
      if (closed) return false
      try {
        const { connection } = await open()
        await connection.withDeadline(Date.now() + ANSWER_MS, () =>
          connection.workflowService.getSystemInfo({}),
        )
        return true
      } catch {
        return false // that it does not answer is the answer
      }
    },
    async close() {
      closed = true
      const current = await opened?.catch(() => undefined) // it never opened
      await current?.connection.close()
    },
  }
}

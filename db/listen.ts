import pg from 'pg'

export interface Listener {
  /** Settles after the first attempt to connect, however that went. */
  opened: Promise<void>
  close(): Promise<void>
}

export interface ListenOptions {
  url: string
  channels: readonly string[]
  onNotify: (channel: string, payload: string) => void
  /** After every (re)connection: what was told meanwhile is lost, so look for yourself. */
  onConnected?: () => void
  onError?: (error: Error) => void
  /** Done on every new connection before anything else. */
  prepare?: (client: pg.Client) => Promise<unknown>
}

const FIRST_RETRY_MS = 200
const LAST_RETRY_MS = 5_000

/**
 * Listens on channels over a connection of its own, and connects again whenever it is lost, for as long as it is open.
 * Notifications are hints: some are lost during a reconnect.
 */
export function listen(options: ListenOptions): Listener {
  let client: pg.Client | undefined
  let timer: NodeJS.Timeout | undefined
  let wait = FIRST_RETRY_MS
  let closed = false

  const retry = () => {
    client = undefined
    if (closed || timer) return
    timer = setTimeout(() => {
      timer = undefined
      void open()
    }, wait)
    wait = Math.min(LAST_RETRY_MS, wait * 2)
  }

  async function open(): Promise<void> {
    const fresh = new pg.Client({ connectionString: options.url, keepAlive: true })
    client = fresh
    fresh.on('error', (error) => options.onError?.(error))
    fresh.once('end', retry)
    fresh.on('notification', ({ channel, payload }) => options.onNotify(channel, payload ?? ''))
    try {
      await fresh.connect()
      await options.prepare?.(fresh)
      for (const channel of options.channels)
        await fresh.query(`listen ${fresh.escapeIdentifier(channel)}`)
      wait = FIRST_RETRY_MS
      options.onConnected?.()
    } catch (error) {
      options.onError?.(error as Error)
      await fresh.end().catch(() => undefined) // it may not have come far enough to be ended
      retry()
    }
  }

  const opened = open()
  return {
    opened,
    async close() {
      closed = true
      clearTimeout(timer)
      await opened
      await client?.end()
    },
  }
}

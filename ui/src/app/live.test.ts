import { afterAll, beforeAll, expect, test, vi } from 'vitest'

/** The page's end of the connection, held by the test. */
class Socket extends EventTarget {
  send = vi.fn()
  close = () => undefined
  /** The server says something. */
  hear = (message: object) =>
    this.dispatchEvent(new MessageEvent('message', { data: JSON.stringify(message) }))
}
const sockets: Socket[] = []

beforeAll(() => {
  vi.useFakeTimers()
  vi.stubGlobal(
    'window',
    Object.assign(new EventTarget(), { location: { origin: 'http://dispatch.test' } }),
  )
  vi.stubGlobal('document', new EventTarget())
  vi.stubGlobal('WebSocket', function open() {
    const socket = new Socket()
    sockets.push(socket)
    return socket
  })
})
afterAll(async () => {
  // the next file of this process has the same one
  const { queryClient } = await import('./query-client.ts')
  queryClient.clear()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('a server that starts again is asked every second at first, then less often', async () => {
  const { createLiveSocket } = await import('../../../client/live-socket.ts')
  const waits: number[] = []
  const socket = createLiveSocket({
    baseUrl: 'http://dispatch.test',
    open: (url) => new WebSocket(url) as never,
    onConnection: (now) => now.state === 'lost' && waits.push(now.retryAt - Date.now()),
  })
  const begun = Date.now()
  while (Date.now() - begun < 120_000) {
    sockets.at(-1)?.dispatchEvent(new Event('close'))
    await vi.advanceTimersByTimeAsync(waits.at(-1) ?? 0)
  }
  socket.close()
  expect(waits.slice(0, 6)).toEqual([250, 500, 1000, 1000, 1000, 1000])
  expect(waits.at(-1)).toBe(10_000)
})

test('a connection that is gone without a word, as after a sleep or behind a server that hangs, is told and made anew', async () => {
  const { createLiveSocket } = await import('../../../client/live-socket.ts')
  const states: string[] = []
  let since = Number.POSITIVE_INFINITY
  const socket = createLiveSocket({
    baseUrl: 'http://dispatch.test',
    open: (url) => new WebSocket(url) as never,
    onConnection(now) {
      states.push(now.state)
      if (now.state === 'lost') since = now.since
    },
  })
  socket.subscribe({ stream: 'feed', after: 3, onItems: () => undefined })
  const first = sockets.at(-1)
  first?.dispatchEvent(new Event('open'))
  first?.hear({ type: 'live', stream: 'feed', seq: 3 })
  // one that is quiet and there answers, for as long as it likes
  first?.send.mockImplementation(() => first.hear({ type: 'live', stream: 'feed', seq: 3 }))
  await vi.advanceTimersByTimeAsync(600_000)
  expect(states).toEqual(['connecting', 'live'])

  first?.send.mockImplementation(() => undefined)
  const silent = Date.now()
  await vi.advanceTimersByTimeAsync(35_000)
  expect(states.slice(2)).toContain('lost')
  expect(since).toBeLessThanOrEqual(silent) // all that came after it is not known
  const second = sockets.at(-1)
  expect(second).not.toBe(first)
  second?.dispatchEvent(new Event('open'))
  expect(states.at(-1)).toBe('live')
  expect(second?.send).toHaveBeenCalledWith(
    JSON.stringify({ type: 'subscribe', stream: 'feed', after: 3 }),
  )

  // a window that is looked at again need not wait for that
  socket.retry()
  await vi.advanceTimersByTimeAsync(11_000)
  expect(states.at(-1)).toBe('lost')
  socket.close()
})

test('what could not be read before the connection was lost is read as soon as it is back', async () => {
  const { QueryObserver } = await import('@tanstack/react-query')
  const { queryClient } = await import('./query-client.ts')
  await import('./live.ts')
  let isUp = false
  const page = new QueryObserver(queryClient, {
    queryKey: ['goal'],
    queryFn: async () => {
      if (!isUp) throw new TypeError('Failed to fetch')
      return 'merged'
    },
  })
  const leave = page.subscribe(() => undefined)
  sockets.at(-1)?.dispatchEvent(new Event('open'))
  await vi.advanceTimersByTimeAsync(60_000)
  expect(page.getCurrentResult().status).toBe('error')
  sockets.at(-1)?.dispatchEvent(new Event('close'))
  await vi.advanceTimersByTimeAsync(1_000)
  isUp = true
  sockets.at(-1)?.dispatchEvent(new Event('open'))
  await vi.advanceTimersByTimeAsync(0)
  expect(page.getCurrentResult().data).toBe('merged')
  leave()
})

import { afterAll, beforeAll, expect, test, vi } from 'vitest'

beforeAll(() => {
  vi.stubGlobal('window', { location: { origin: 'http://dispatch.test' } })
})
afterAll(() => vi.unstubAllGlobals())

test('what is filed again after a cut connection is the same thing to the server; after an answer it is another', async () => {
  const { call } = await import('./api.ts')
  const keys: (string | undefined)[] = []
  let answers = false
  vi.stubGlobal('fetch', async (_url: string, request: { headers: Record<string, string> }) => {
    keys.push(request.headers['idempotency-key'])
    if (!answers) throw new TypeError('Failed to fetch')
    return new Response('{}', { status: 202 })
  })
  const file = (description: string) =>
    call('createGoal', { body: { project: 'P-1', description } }).catch(() => undefined)

  await file('Build it')
  answers = true
  await file('Build it')
  await file('Build it')
  await file('Build another')
  const [cut, again, ...later] = keys
  expect(cut).toMatch(/^[\w-]{36}$/)
  expect(again).toBe(cut)
  expect(new Set([again, ...later]).size).toBe(3)
})

test('a server that takes a call and never answers is not waited for without end', async () => {
  vi.useFakeTimers()
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    const end = new AbortController()
    setTimeout(() => end.abort(new DOMException('too long', 'TimeoutError')), ms)
    return end.signal
  })
  try {
    const { call } = await import('./api.ts')
    const { explain } = await import('./toasts.ts')
    vi.stubGlobal(
      'fetch',
      (_url: string, { signal }: RequestInit) =>
        new Promise((_, reject) =>
          signal?.addEventListener('abort', () => reject(signal.reason as Error)),
        ),
    )
    const said = call('pausePool', { body: {} }).then(() => 'answered', explain)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(await Promise.race([said, 'waits'])).toContain('not known whether it was done')
  } finally {
    timeout.mockRestore()
    vi.useRealTimers()
  }
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ProblemError } from '../../../client/caller.ts'

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('window', new EventTarget())
})
afterEach(async () => {
  // the next file of this process has the same one
  const { queryClient } = await import('./query-client.ts')
  queryClient.clear()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const problem = (status: number) => new ProblemError({ status, detail: 'no' } as never)

/** A page that shows what `read` gives. */
async function show(key: string, read: () => Promise<string>) {
  const { QueryObserver } = await import('@tanstack/react-query')
  const { queryClient } = await import('./query-client.ts')
  const page = new QueryObserver(queryClient, { queryKey: [key], queryFn: read })
  const leave = page.subscribe(() => undefined)
  return { said: () => page.getCurrentResult(), leave }
}

test('what an event made stale while the server could not read is shown when it can; a refusal is not asked for again', async () => {
  const { queryClient } = await import('./query-client.ts')
  let asked = 0
  let answer: () => string = () => 'running'
  const goal = await show('goal', async () => {
    asked += 1
    return answer()
  })
  await vi.advanceTimersByTimeAsync(0)
  const refuse = (status: number) => () => {
    throw problem(status)
  }
  answer = refuse(503)
  void queryClient.invalidateQueries()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(goal.said()).toMatchObject({ status: 'error', data: 'running' })
  answer = () => 'merged'
  await vi.advanceTimersByTimeAsync(20_000)
  expect(goal.said()).toMatchObject({ status: 'success', data: 'merged' })

  answer = refuse(404)
  asked = 0
  void queryClient.invalidateQueries()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked).toBe(1)
  goal.leave()
})

test('a server on this machine is asked without a network too', async () => {
  const { onlineManager } = await import('@tanstack/react-query')
  onlineManager.setOnline(false)
  const goal = await show('local', async () => 'running')
  await vi.advanceTimersByTimeAsync(0)
  expect(goal.said().data).toBe('running')
  goal.leave()
  onlineManager.setOnline(true)
})

test('what changed while a page was first read is read once more, for that read may have looked before', async () => {
  const { readAgain } = await import('./query-client.ts')
  let now = 'nothing suggested'
  const replies: (() => void)[] = []
  const page = await show('suggestions', () => {
    const seen = now
    return new Promise((resolve) => replies.push(() => resolve(seen)))
  })
  await vi.advanceTimersByTimeAsync(0)
  now = 'one suggestion'
  void readAgain()
  replies[0]?.()
  await vi.advanceTimersByTimeAsync(0)
  replies[1]?.()
  await vi.advanceTimersByTimeAsync(0)
  expect(page.said().data).toBe('one suggestion')
  page.leave()
})

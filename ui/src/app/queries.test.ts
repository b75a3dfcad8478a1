import { afterAll, beforeAll, expect, test, vi } from 'vitest'

const asked = vi.hoisted(() => [] as { since: string }[])
vi.mock('./live.ts', () => ({ whenLive: async () => undefined }))
vi.mock('./api.ts', () => ({
  call: async (name: string, { query }: { query: { since: string; cursor?: string } }) => {
    if (name === 'listGoals' || name === 'listReviews') return pageAfter(query.cursor)
    asked.push(query)
    return {}
  },
}))
/** One of a list that ends with its third page. */
const pageAfter = (cursor = '0') => ({
  items: [{ id: cursor }],
  next: cursor === '2' ? null : String(Number(cursor) + 1),
})
beforeAll(() => {
  vi.stubGlobal('window', new EventTarget())
  vi.useFakeTimers({ now: new Date(2026, 0, 31, 23, 50) })
})
afterAll(async () => {
  const { queryClient } = await import('./query-client.ts')
  queryClient.clear()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

test('what today cost is that of today also on a page that was left open over midnight', async () => {
  const { QueryObserver } = await import('@tanstack/react-query')
  const { queryClient } = await import('./query-client.ts')
  const { overviewQuery } = await import('./queries.ts')
  const leave = new QueryObserver(queryClient, overviewQuery()).subscribe(() => undefined)
  await vi.advanceTimersByTimeAsync(11 * 60_000)
  expect(asked.map(({ since }) => new Date(since).getDate())).toEqual([31, 1])
  leave()
})

test('what waits for a person is all there, however many pages it has', async () => {
  const { queryClient } = await import('./query-client.ts')
  const { openGoalsQuery, pendingReviewsQuery } = await import('./queries.ts')
  const goals = await queryClient.fetchQuery(openGoalsQuery())
  const reviews = await queryClient.fetchQuery(pendingReviewsQuery())
  for (const { items } of [goals, reviews])
    expect(items.map(({ id }) => id)).toEqual(['0', '1', '2'])
})

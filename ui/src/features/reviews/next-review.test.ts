import { afterAll, beforeAll, expect, test, vi } from 'vitest'

const reviews: { id: string; shortId: string }[] = []
const navigate = vi.hoisted(() => vi.fn())
const toast = vi.hoisted(() => vi.fn())
vi.mock('../../app/navigation.ts', () => ({ navigate }))
vi.mock('../../app/toasts.ts', () => ({ toast }))
vi.mock('../../app/queries.ts', () => ({
  reviewsQuery: () => ({ queryKey: ['reviews'], queryFn: async () => ({ items: [...reviews] }) }),
}))
beforeAll(() => vi.stubGlobal('window', { location: { pathname: '/' } }))
afterAll(async () => {
  // the next file of this process has the same one
  const { queryClient } = await import('../../app/query-client.ts')
  queryClient.clear()
  vi.unstubAllGlobals()
})

test('the next review is one that waits now, also when it came while no page showed the list', async () => {
  const { goToNextReview } = await import('./next-review.ts')
  const { queryClient } = await import('../../app/query-client.ts')
  await goToNextReview()
  expect(toast).toHaveBeenCalledWith('No review waits for you')
  reviews.push({ id: 'r1', shortId: 'R-1' })
  await queryClient.invalidateQueries({ queryKey: ['reviews'] })
  await goToNextReview()
  expect(navigate).toHaveBeenCalledWith({ to: '/reviews/$id', params: { id: 'R-1' } })
})

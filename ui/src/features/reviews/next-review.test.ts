import { afterAll, beforeAll, expect, test, vi } from 'vitest'

const reviews: { id: string; shortId: string }[] = []
const navigate = vi.hoisted(() => vi.fn())
const toast = vi.hoisted(() => vi.fn())
const toastError = vi.hoisted(() => vi.fn())
let refusal: Error | undefined
vi.mock('../../app/navigation.ts', () => ({ navigate }))
vi.mock('../../app/toasts.ts', () => ({ toast, toastError }))
vi.mock('../../app/queries.ts', () => ({
  pendingReviewsQuery: () => ({
    queryKey: ['reviews'],
    queryFn: async () => {
      if (refusal) throw refusal
      return { items: [...reviews] }
    },
  }),
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

test('that the reviews could not be read is said, where a click would else do nothing', async () => {
  const { ProblemError } = await import('../../../../client/caller.ts')
  const { goToNextReview } = await import('./next-review.ts')
  const { queryClient } = await import('../../app/query-client.ts')
  refusal = new ProblemError({ status: 403, detail: 'no' } as never)
  await queryClient.invalidateQueries({ queryKey: ['reviews'] })
  await goToNextReview()
  expect(toastError).toHaveBeenCalledWith('The reviews could not be read', refusal)
})

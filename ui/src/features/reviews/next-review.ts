import { useQuery } from '@tanstack/react-query'
import type { ReviewSummary } from '../../../../contracts/schemas.ts'
import { navigate } from '../../app/navigation.ts'
import { pendingReviewsQuery } from '../../app/queries.ts'
import { queryClient } from '../../app/query-client.ts'
import { toast, toastError } from '../../app/toasts.ts'

/** Opens the review that waits longest, or the one after the review that is open. */
export async function goToNextReview(): Promise<void> {
  // what no page shows is not read again by an event: asked for here, it is
  const read = await queryClient.fetchQuery(pendingReviewsQuery()).catch((error: unknown) => {
    toastError('The reviews could not be read', error)
  })
  if (!read) return
  const { items } = read
  const open = /^\/reviews\/([^/]+)/.exec(window.location.pathname)?.[1]
  const at = items.findIndex(({ id, shortId }) => id === open || shortId === open)
  const next = items[(at + 1) % Math.max(1, items.length)]
  if (!next || next.shortId === open)
    toast(open ? 'No other review waits' : 'No review waits for you')
  else await navigate({ to: '/reviews/$id', params: { id: next.shortId } })
}

/** Where a review stands among those that wait, oldest first; a decided one stands before the first. */
export function useNeighbours(id: string): {
  /** How many wait besides this one; undefined until it is known. */
  waiting: number | undefined
  previous: ReviewSummary | undefined
  next: ReviewSummary | undefined
} {
  const { data } = useQuery(pendingReviewsQuery())
  const items = data?.items ?? []
  const at = items.findIndex((one) => one.id === id)
  return {
    waiting: data && items.length - (at === -1 ? 0 : 1),
    previous: at > 0 ? items[at - 1] : undefined,
    next: items[at + 1],
  }
}

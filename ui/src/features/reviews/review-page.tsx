import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { Suspense } from 'react'
import type { Review } from '../../../../contracts/schemas.ts'
import { reviewQuery } from '../../app/queries.ts'
import { buttonClass } from '../../components/button.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { ErrorState, SkeletonRows } from '../../components/states.tsx'
import { lazyPart } from '../../lib/lazy-part.ts'
import { BudgetReview } from './budget-review.tsx'
import { CodeReview } from './code-review.tsx'
import { MovedBanner } from './review-banner.tsx'
import { ReviewHeader } from './review-header.tsx'
import type { ReviewSearch } from './review-search.ts'

const route = getRouteApi('/reviews/$id')
const SpecReview = lazyPart(async () => (await import('./spec/spec-review.tsx')).SpecReview)

/** One review, on the whole screen. */
export function ReviewPage() {
  const { id } = route.useParams()
  const search = route.useSearch()
  const { data: review, error, refetch } = useQuery(reviewQuery(id))
  if (!review)
    return (
      <>
        <PageHeader crumbs={[{ label: 'Reviews', to: '/reviews' }, { label: id }]} />
        {error ? (
          <ErrorState error={error} onRetry={() => void refetch()}>
            <Link to="/reviews" className={buttonClass()}>
              All reviews
            </Link>
          </ErrorState>
        ) : (
          <SkeletonRows label={`Loading ${id}`} />
        )}
      </>
    )
  return (
    <>
      <ReviewHeader review={review} />
      {review.newer && <MovedBanner seen={review} newer={review.newer} />}
      <Suspense fallback={<SkeletonRows label={`Loading ${review.shortId}`} />}>
        <Content key={review.id} review={review} search={search} />
      </Suspense>
    </>
  )
}

function Content({ review, search }: { review: Review; search: ReviewSearch }) {
  switch (review.kind) {
    case 'spec':
      return <SpecReview review={review} />
    case 'task':
    case 'merge':
      return <CodeReview {...{ review, search }} />
    case 'budget':
      return <BudgetReview review={review} />
    default:
      return review.kind satisfies never
  }
}

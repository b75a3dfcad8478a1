import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { reviewQuery } from '../../app/queries.ts'
import { PageHeader } from '../../components/page-header.tsx'
import { ErrorState, SkeletonRows } from '../../components/states.tsx'
import { StatusIcon } from '../../components/status-icon.tsx'

const route = getRouteApi('/reviews/$id')

/** One review. */
export function ReviewPage() {
  const { id } = route.useParams()
  const { data: review, error, refetch } = useQuery(reviewQuery(id))
  return (
    <>
      <PageHeader
        crumbs={[
          { label: 'Reviews', to: '/reviews' },
          { label: review?.title ?? id, ...(review && { id: review.shortId }) },
        ]}
      />
      {error && <ErrorState error={error} onRetry={() => void refetch()} />}
      {!review && !error && <SkeletonRows label={`Loading ${id}`} />}
      {review && (
        <div className="flex flex-col gap-2 p-4">
          <StatusIcon status={review.status} />
          <p>{review.reason}</p>
        </div>
      )}
    </>
  )
}

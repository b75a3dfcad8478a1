import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Eye } from 'lucide-react'
import { reviewsQuery } from '../../app/queries.ts'
import { ShortId, Time } from '../../components/figures.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { EmptyState, ErrorState, SkeletonRows } from '../../components/states.tsx'
import { StatusIcon } from '../../components/status-icon.tsx'

/** Reviews that wait, the oldest first. */
export function ReviewsPage() {
  const { data, error, refetch } = useQuery(reviewsQuery({ status: 'pending' }))
  return (
    <>
      <PageHeader crumbs={[{ label: 'Reviews' }]} />
      {error && <ErrorState error={error} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows label="Loading reviews" />}
      {data?.items.length === 0 && (
        <EmptyState
          icon={Eye}
          title="Nothing waits for you"
          detail="Specs, risky changes and merges come here when they need a decision."
        />
      )}
      <ul className="min-h-0 flex-1 overflow-y-auto">
        {data?.items.map((review) => (
          <li key={review.id}>
            <Link
              to="/reviews/$id"
              params={{ id: review.shortId }}
              className="flex h-11 items-center gap-3 border-b px-4 hover:bg-hover"
            >
              <StatusIcon status="review" quiet />
              <ShortId id={review.shortId} className="w-10" />
              <bdi className="min-w-0 flex-1 truncate">{review.title}</bdi>
              <Time at={review.createdAt} className="text-12 text-fg-3" />
            </Link>
          </li>
        ))}
      </ul>
    </>
  )
}

import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { Coins, Eye, FileText, GitMerge, GitPullRequest, type LucideIcon } from 'lucide-react'
import { useEffect } from 'react'
import type { ReviewSummary } from '../../../../contracts/schemas.ts'
import { pendingReviewsQuery } from '../../app/queries.ts'
import { useListKeys } from '../../app/use-list-keys.ts'
import { Badge } from '../../components/badge.tsx'
import { Button } from '../../components/button.tsx'
import { ShortId, Time } from '../../components/figures.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { EmptyState, ErrorState, SkeletonRows } from '../../components/states.tsx'
import { cn } from '../../lib/cn.ts'
import { plural } from '../../lib/format.ts'
import { Lines } from './diff/file-header.tsx'
import { goToNextReview } from './next-review.ts'
import { KIND_TITLES, Risk } from './review-header.tsx'

const KIND_ICONS: Readonly<Record<ReviewSummary['kind'], LucideIcon>> = {
  spec: FileText,
  task: GitPullRequest,
  merge: GitMerge,
  budget: Coins,
}

/** Reviews that wait, the oldest first. */
export function ReviewsPage() {
  const { data, error, refetch } = useQuery(pendingReviewsQuery())
  const items = data?.items ?? []
  return (
    <>
      <PageHeader crumbs={[{ label: 'Reviews' }]}>
        {items.length > 0 && (
          <>
            <span className="mr-1 text-12 text-fg-3 max-md:hidden">{items.length} waiting</span>
            <Button tone="primary" keys="g r" onClick={() => void goToNextReview()}>
              Start reviewing
            </Button>
          </>
        )}
      </PageHeader>
      {error && !data && <ErrorState error={error} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows label="Loading reviews" />}
      {data && items.length === 0 && (
        <EmptyState
          icon={Eye}
          title="Nothing waits for you"
          detail="Specs, risky changes and merges come here when they need a decision."
        />
      )}
      {items.length > 0 && <Queue items={items} />}
    </>
  )
}

function Queue({ items }: { items: readonly ReviewSummary[] }) {
  const navigate = useNavigate()
  const { selected, select, listProps } = useListKeys({
    scope: 'Reviews',
    ids: items.map(({ shortId }) => shortId),
    onOpen: (id) => void navigate({ to: '/reviews/$id', params: { id } }),
  })
  const first = items[0]?.shortId
  useEffect(() => {
    if (selected === undefined) select(first)
  }, [selected, first, select])
  return (
    <div className="min-h-0 flex-1 overflow-y-auto pb-6" {...listProps}>
      <ul>
        {items.map((review) => (
          <Row
            key={review.id}
            review={review}
            selected={review.shortId === selected}
            onPoint={() => select(review.shortId)}
          />
        ))}
      </ul>
    </div>
  )
}

function Row(props: { review: ReviewSummary; selected: boolean; onPoint: () => void }) {
  const { review } = props
  const Icon = KIND_ICONS[review.kind]
  return (
    <li
      data-row={review.shortId}
      data-selected={props.selected || undefined}
      onPointerMove={props.selected ? undefined : props.onPoint}
      className={cn(
        'relative flex min-h-11 items-center gap-3 border-b border-line/60 px-4 py-1.5 md:h-11',
        props.selected && 'bg-hover',
      )}
    >
      <Icon size={15} strokeWidth={1.75} className="shrink-0 text-warn" aria-hidden="true" />
      <ShortId id={review.shortId} className="w-10" />
      <div className="flex min-w-0 flex-1 items-baseline gap-3 max-md:flex-col max-md:gap-0">
        <Link
          to="/reviews/$id"
          params={{ id: review.shortId }}
          className="max-w-full min-w-0 shrink truncate font-medium outline-none after:absolute after:inset-0 focus-visible:after:outline-2 focus-visible:after:-outline-offset-2 focus-visible:after:outline-focus"
        >
          <span className="sr-only">{KIND_TITLES[review.kind]}: </span>
          <bdi>{review.title}</bdi>
        </Link>
        <span className="max-w-full min-w-0 shrink-[2] truncate text-12 text-fg-3">
          {review.goalShortId} <bdi>{review.goalTitle}</bdi>
        </span>
      </div>
      <div className="flex shrink-0 items-center gap-3 text-12 text-fg-3">
        {review.attempt > 1 && <Badge className="max-md:hidden">Attempt {review.attempt}</Badge>}
        {review.size.files > 0 && (
          <span className="hidden items-center gap-2 lg:flex">
            {plural(review.size.files, 'file')}
            <Lines {...review.size} />
          </span>
        )}
        {(review.kind === 'task' || review.kind === 'merge') && (
          <span className="hidden md:block">
            <Risk risk={review.risk} />
          </span>
        )}
        <span className="hidden w-28 truncate text-right lg:block">{review.projectName}</span>
        <span className="relative z-1 w-16 text-right">
          <Time at={review.createdAt} />
        </span>
      </div>
    </li>
  )
}

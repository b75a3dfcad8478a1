import { Link } from '@tanstack/react-router'
import { ArrowLeft, ChevronDown, ChevronUp, ShieldAlert } from 'lucide-react'
import { useEffect } from 'react'
import type { Review } from '../../../../contracts/schemas.ts'
import { Badge } from '../../components/badge.tsx'
import { buttonClass } from '../../components/button.tsx'
import { StatusIcon } from '../../components/status-icon.tsx'
import { Tooltip } from '../../components/tooltip.tsx'
import { cn } from '../../lib/cn.ts'
import { useNeighbours } from './next-review.ts'

export const KIND_TITLES: Readonly<Record<Review['kind'], string>> = {
  spec: 'Spec',
  task: 'Task',
  merge: 'Merge',
  budget: 'Budget',
}

const RISK = {
  low: { tone: 'neutral', word: 'Low risk' },
  medium: { tone: 'neutral', word: 'Medium risk' },
  high: { tone: 'warn', word: 'High risk' },
} as const

/** How risky a change is; why is in the summary. */
export function Risk({ risk }: { risk: Review['risk'] }) {
  const { tone, word } = RISK[risk]
  return (
    <Badge tone={tone}>
      {risk === 'high' && <ShieldAlert size={11} aria-hidden="true" />}
      {word}
    </Badge>
  )
}

/** The first line of a review: what it is about, how risky, and the way to the others that wait. */
export function ReviewHeader({ review }: { review: Review }) {
  const { waiting, previous, next } = useNeighbours(review.id)
  useEffect(() => {
    document.title = `${review.shortId} ${review.title} · Dispatch`
  }, [review.shortId, review.title])
  return (
    <header className="flex h-11 shrink-0 items-center gap-2.5 border-b px-2">
      <Tooltip label="All reviews" keys="g v">
        <Link
          to="/reviews"
          aria-label="All reviews"
          className={cn(buttonClass({ tone: 'ghost' }), 'size-7 px-0 touch:size-10')}
        >
          <ArrowLeft size={16} aria-hidden="true" />
        </Link>
      </Tooltip>
      <h1 className="flex min-w-0 items-baseline gap-2 text-13">
        <span className="shrink-0 text-fg-3">{review.shortId}</span>
        <bdi className="min-w-0 truncate font-medium">{review.title}</bdi>
      </h1>
      <span className="flex shrink-0 items-center gap-1.5 max-md:hidden">
        <Badge tone="outline">{KIND_TITLES[review.kind]}</Badge>
        {review.kind !== 'spec' && review.kind !== 'budget' && <Risk risk={review.risk} />}
        {review.attempt > 1 && <Badge>Attempt {review.attempt}</Badge>}
        {review.status !== 'pending' && <StatusIcon status={review.status} className="text-12" />}
      </span>
      <span className="ml-auto flex shrink-0 items-center gap-2 text-12 text-fg-3">
        <Link
          to="/goals/$id"
          params={{ id: review.goalShortId }}
          className="max-w-56 truncate rounded-sm hover:text-fg max-lg:hidden"
        >
          {review.goalShortId} <bdi>{review.goalTitle}</bdi>
        </Link>
        <span className="whitespace-nowrap max-md:hidden">
          {waiting !== undefined && (waiting === 0 ? 'No other waits' : `${waiting} more waiting`)}
        </span>
        <span className="flex">
          <Step to={previous?.shortId} label="Previous review" icon={ChevronUp} />
          <Step to={next?.shortId} label="Next review" icon={ChevronDown} />
        </span>
      </span>
    </header>
  )
}

function Step({
  to,
  label,
  icon: Icon,
}: {
  to: string | undefined
  label: string
  icon: typeof ChevronUp
}) {
  const look = cn(buttonClass({ tone: 'ghost' }), 'size-7 px-0 touch:size-10')
  if (to === undefined)
    return (
      <span aria-hidden="true" className={cn(look, 'opacity-40')}>
        <Icon size={16} />
      </span>
    )
  return (
    <Tooltip label={`${label}: ${to}`} {...(label === 'Next review' && { keys: 'g r' })}>
      <Link to="/reviews/$id" params={{ id: to }} aria-label={`${label}: ${to}`} className={look}>
        <Icon size={16} aria-hidden="true" />
      </Link>
    </Tooltip>
  )
}

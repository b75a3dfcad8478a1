import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate } from '@tanstack/react-router'
import { ArrowRight, Clipboard } from 'lucide-react'
import type { ReactNode } from 'react'
import { actorName } from '../../../../contracts/figures.ts'
import type { Review } from '../../../../contracts/schemas.ts'
import { reviewQuery } from '../../app/queries.ts'
import { copy } from '../../app/toasts.ts'
import { Button, buttonClass } from '../../components/button.tsx'
import { Time } from '../../components/figures.tsx'
import { StatusIcon } from '../../components/status-icon.tsx'
import { cn } from '../../lib/cn.ts'
import { useNeighbours } from './next-review.ts'
import type { DraftActions } from './review-draft.ts'
import { whatMoved } from './what-moved.ts'

const VIA: Readonly<Record<string, string>> = {
  ui: 'the browser',
  cli: 'the command line',
  api: 'the API',
}

/** In place of the verdict bar: a review that is decided, by whom, when and from where. Text that was not sent is still there. */
export function DecidedBar(props: { review: Review; unsent: string; actions: DraftActions }) {
  const { review, unsent, actions } = props
  const { waiting, next } = useNeighbours(review.id)
  const who = review.decidedBy && actorName(review.decidedBy)
  const via = review.via === null ? undefined : (VIA[review.via] ?? review.via)
  return (
    <section
      aria-label="Verdict"
      className="flex shrink-0 flex-col gap-2 border-t bg-side px-3 py-2.5 max-md:pb-[max(10px,env(safe-area-inset-bottom))]"
    >
      {unsent !== '' && <Unsent {...{ review, actions }} words={unsent} />}
      <div className="flex min-h-8 flex-wrap items-center gap-x-2 gap-y-1">
        <StatusIcon status={review.status} className="font-medium" />
        <span className="text-fg-2">
          {review.status === 'superseded'
            ? 'Its goal ended before anybody decided.'
            : who && `by ${who}`}
          {via && review.status !== 'superseded' && who !== 'policy' && ` via ${via}`}{' '}
          {review.decidedAt && <Time at={review.decidedAt} className="text-fg-3" />}
        </span>
        <span className="ml-auto flex items-center gap-2">
          <Link to="/goals/$id" params={{ id: review.goalShortId }} className={buttonClass()}>
            Open {review.goalShortId}
          </Link>
          {waiting !== undefined && waiting > 0 && next && (
            <Link
              to="/reviews/$id"
              params={{ id: next.shortId }}
              className={buttonClass({ tone: 'primary' })}
            >
              Next review ({waiting})
            </Link>
          )}
        </span>
      </div>
    </section>
  )
}

/** What was written and went along with no decision: it can be taken to the review of the same work that is open now. */
function Unsent(props: { review: Review; words: string; actions: DraftActions }) {
  const { review, words, actions } = props
  const navigate = useNavigate()
  const { data: now } = useQuery({
    ...reviewQuery(review.newer ?? ''),
    enabled: review.newer !== null,
  })
  return (
    <Row tone="warn">
      <p className="min-w-0 flex-1 basis-64">
        <span className="font-medium">What you wrote was not sent. </span>
        <bdi className="text-fg-2">{words.length > 160 ? `${words.slice(0, 160)}…` : words}</bdi>
      </p>
      {now?.status === 'pending' && (
        <Button
          size="sm"
          icon={ArrowRight}
          onClick={() => {
            actions.moveTo(now.id, words)
            void navigate({ to: '/reviews/$id', params: { id: now.shortId } })
          }}
        >
          Take it to {now.shortId}
        </Button>
      )}
      <Button size="sm" icon={Clipboard} onClick={() => void copy(words, 'Copied')}>
        Copy
      </Button>
      <Button size="sm" tone="ghost" onClick={actions.clear}>
        Discard
      </Button>
    </Row>
  )
}

/** The work went on after this review: where it is judged as it is now, and what is another thing there. */
export function MovedBanner(props: { seen: Review; newer: string }) {
  const { seen, newer } = props
  const { data: now } = useQuery(reviewQuery(newer))
  return (
    <Row tone="warn" className="rounded-none border-b px-3 py-2">
      <div className="min-w-0 flex-1">
        <p className="font-medium">The work moved on: {newer} is about what it is now.</p>
        <ul className="text-12 text-fg-2">
          {now &&
            whatMoved(seen, now).map((line) => (
              <li key={line}>
                <bdi>{line}</bdi>
              </li>
            ))}
        </ul>
      </div>
      <Link to="/reviews/$id" params={{ id: newer }} className={buttonClass()}>
        Open {newer}
      </Link>
    </Row>
  )
}

function Row(props: { tone: 'warn'; className?: string; children: ReactNode }) {
  return (
    <div
      role="alert"
      className={cn(
        'flex shrink-0 flex-wrap items-center gap-2 rounded-md bg-warn-soft px-2.5 py-1.5',
        props.className,
      )}
    >
      {props.children}
    </div>
  )
}

import { Bot, MessagesSquare, UserRound } from 'lucide-react'
import type { ReactNode } from 'react'
import { actorName } from '../../../../contracts/figures.ts'
import type { Review } from '../../../../contracts/schemas.ts'
import { Time } from '../../components/figures.tsx'
import { Markdown } from '../../components/markdown.tsx'
import { EmptyState } from '../../components/states.tsx'
import { StatusIcon } from '../../components/status-icon.tsx'
import { CommentCard } from './comment-card.tsx'
import type { CommentPlace } from './compose-message.ts'
import type { DraftActions, ReviewDraft } from './review-draft.ts'

const OUTCOMES = {
  approve: 'approved',
  reject: 'rejected',
  request_changes: 'changes_requested',
} as const

/** What was said about this work, attempt by attempt, and what waits to be said. */
export function Conversation(props: {
  review: Review
  draft: ReviewDraft
  actions: DraftActions
  onGo: (place: CommentPlace) => void
}) {
  const { review, draft, actions } = props
  const own = review.comment && review.decidedAt ? [review] : []
  if (review.history.length + draft.comments.length + own.length === 0 && !review.summary)
    return (
      <EmptyState
        icon={MessagesSquare}
        title="Nothing was said yet"
        detail="Comments on lines, files and the whole go to the agent together with your verdict."
      />
    )
  return (
    <div className="h-full overflow-y-auto">
      <ol className="mx-auto flex max-w-[760px] flex-col gap-5 px-6 py-6 max-md:px-4">
        {review.history.map((round) => (
          <li key={round.attempt} className="flex flex-col gap-3">
            <Round>Attempt {round.attempt}</Round>
            {round.summary && <Said by="agent">{round.summary}</Said>}
            <Said by={actorName(round.by)} at={round.at} decision={round.decision}>
              {round.comment}
            </Said>
          </li>
        ))}
        <li className="flex flex-col gap-3">
          {review.history.length > 0 && <Round>Attempt {review.attempt}</Round>}
          {review.summary && <Said by="agent">{review.summary}</Said>}
          {own.map(({ decidedBy, decidedAt, status, comment }) => (
            <Said
              key={status}
              by={actorName(decidedBy ?? 'somebody')}
              {...(decidedAt && { at: decidedAt })}
              decision={
                Object.entries(OUTCOMES).find(([, outcome]) => outcome === status)?.[0] ?? ''
              }
            >
              {comment}
            </Said>
          ))}
          {draft.comments.map((comment) => (
            <CommentCard
              key={comment.id}
              {...{ comment, actions }}
              onGo={() => props.onGo(comment.place)}
            />
          ))}
        </li>
      </ol>
    </div>
  )
}

function Round({ children }: { children: ReactNode }) {
  return (
    <h2 className="flex items-center gap-3 text-12 text-fg-3 after:h-px after:flex-1 after:bg-line">
      {children}
    </h2>
  )
}

function Said(props: { by: string; at?: string; decision?: string; children: string | null }) {
  const outcome = OUTCOMES[props.decision as keyof typeof OUTCOMES]
  const agent = props.by === 'agent'
  const Icon = agent ? Bot : UserRound
  return (
    <article className="flex gap-3">
      <span className="mt-0.5 flex size-6 shrink-0 items-center justify-center rounded-full bg-active text-fg-2">
        <Icon size={13} aria-hidden="true" />
      </span>
      <div className="min-w-0 flex-1">
        <header className="flex h-7 flex-wrap items-center gap-2">
          <span className="font-medium">{agent ? 'Agent' : props.by}</span>
          {outcome && <StatusIcon status={outcome} className="text-12" />}
          {props.at && <Time at={props.at} className="text-12 text-fg-3" />}
        </header>
        {props.children && <Markdown text={props.children} />}
      </div>
    </article>
  )
}

import { Coins } from 'lucide-react'
import type { Review } from '../../../../contracts/schemas.ts'
import { EmptyState } from '../../components/states.tsx'
import { DecidedBar } from './review-banner.tsx'
import { useReviewDraft } from './review-draft.ts'
import { useVerdict } from './use-verdict.ts'
import { VerdictBar } from './verdict-bar.tsx'

/** Whether a task or a goal may use more tokens than it was given. */
export function BudgetReview({ review }: { review: Review }) {
  const { draft, actions } = useReviewDraft(review.id)
  const verdict = useVerdict({ review, draft, actions })
  return (
    <>
      <EmptyState icon={Coins} title={review.title} detail={review.reason} className="flex-1" />
      {review.status === 'pending' ? (
        <VerdictBar
          {...{ review, draft, actions, verdict }}
          approveLabel="Grant tokens"
          rejects="The goal is cancelled. Its branches stay, so nothing of the work is lost."
          onGo={() => undefined}
        />
      ) : (
        <DecidedBar {...{ review, actions }} unsent={draft.summary} />
      )}
    </>
  )
}

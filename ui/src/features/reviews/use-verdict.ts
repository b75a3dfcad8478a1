import { useState } from 'react'
import { ProblemError } from '../../../../client/caller.ts'
import type { Review } from '../../../../contracts/schemas.ts'
import type { Decision } from '../../../../contracts/stages.ts'
import { call } from '../../app/api.ts'
import { reviewQuery } from '../../app/queries.ts'
import { queryClient } from '../../app/query-client.ts'
import { explain } from '../../app/toasts.ts'
import { type Blocker, blockersOf } from './blockers.ts'
import { addedOf, composeMessage, unfinishedOf } from './compose-message.ts'
import type { DraftActions, ReviewDraft } from './review-draft.ts'

interface VerdictInput {
  /** What the person looks at; its hash is the one that is decided about. */
  review: Review
  draft: ReviewDraft
  actions: DraftActions
  unloaded?: number
  cut?: number
  otherDiff?: boolean
  problems?: number
}

export interface Verdict {
  decision: Decision
  choose: (decision: Decision) => void
  message: string
  blockers: Blocker[]
  busy: boolean
  /** Why the last try was refused. */
  refused: string | undefined
  /** Sends the decision; false when something is missing or it was refused. Nothing that was typed is lost then. */
  send: () => Promise<boolean>
}

/** The decision about a review as it stands, and what sends it. */
export function useVerdict(input: VerdictInput): Verdict {
  const { review, draft, actions } = input
  const [busy, setBusy] = useState(false)
  const [refused, setRefused] = useState<string>()
  const message = composeMessage(draft.summary, draft.comments)
  // remarks are for the agent, so with them changes are asked for unless the person says otherwise
  const decision =
    draft.verdict ?? (addedOf(draft.comments).length > 0 ? 'request_changes' : 'approve')
  const blockers = blockersOf({
    ...{ review, decision, message, checked: draft.checked },
    unloaded: input.unloaded ?? 0,
    cut: input.cut ?? 0,
    otherDiff: input.otherDiff ?? false,
    problems: input.problems ?? 0,
    unfinished: unfinishedOf(draft.comments).length,
  })

  async function send(): Promise<boolean> {
    if (blockers.length > 0 || busy) return false
    setBusy(true)
    setRefused(undefined)
    try {
      const reply = await call('decideReview', {
        params: { id: review.id },
        body: {
          ...{ decision, hash: review.hash, checklist: draft.checked, via: 'ui' },
          ...(message && { comment: message }),
          ...(decision === 'approve' && draft.edits && { edits: draft.edits }),
        },
      })
      actions.sent(draft, decision)
      for (const id of [review.id, review.shortId])
        queryClient.setQueryData(reviewQuery(id).queryKey, (before) => before && reply)
      return true
    } catch (error) {
      setRefused(explain(error))
      // what made it refuse is shown from the review itself
      if (error instanceof ProblemError)
        await queryClient.invalidateQueries({ queryKey: ['review'] })
      return false
    } finally {
      setBusy(false)
    }
  }
  const choose = (next: Decision) => {
    setRefused(undefined)
    actions.set({ verdict: next })
  }
  return { decision, choose, message, blockers, busy, refused, send }
}

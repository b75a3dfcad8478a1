import { useNavigate } from '@tanstack/react-router'
import { useRef } from 'react'
import type { Review } from '../../../../contracts/schemas.ts'
import { TabPanel, Tabs } from '../../components/tabs.tsx'
import { MEDIUM, useMedia } from '../../lib/use-media.ts'
import { type Blocker, unseenOf } from './blockers.ts'
import { focusComposer } from './comment-card.tsx'
import { addedOf, asWritten, type CommentPlace, composeMessage } from './compose-message.ts'
import { Conversation } from './conversation.tsx'
import { DiffPane, type DiffPaneHandle } from './diff/diff-pane.tsx'
import { useReviewFiles } from './diff/use-review-files.ts'
import { Checklist } from './evidence/checklist.tsx'
import { DecidedBar } from './review-banner.tsx'
import { useReviewDraft } from './review-draft.ts'
import type { ReviewSearch, ReviewTab } from './review-search.ts'
import { ReviewSummaryPane } from './review-summary.tsx'
import { useVerdict } from './use-verdict.ts'
import { VerdictBar } from './verdict-bar.tsx'
import { useViewedFiles } from './viewed-files.ts'

const REJECTS = {
  task: 'The goal is cancelled. Its branches stay, so nothing of the work is lost. To have the agent do it differently, request changes instead.',
  merge:
    'The goal is cancelled and nothing is merged. Its branch stays. To have the agent do it differently, request changes instead.',
} as const

/** Review of a task's or a goal's changes: summary, checklist with evidence, diff, conversation, and the verdict below. */
export function CodeReview(props: { review: Review; search: ReviewSearch }) {
  const { review, search } = props
  const navigate = useNavigate({ from: '/reviews/$id' })
  const roomy = !useMedia(MEDIUM)
  const files = useReviewFiles(review)
  const { draft, actions } = useReviewDraft(review.id)
  const viewed = useViewedFiles(review.taskId ?? `merge:${review.goalId}`)
  const pane = useRef<DiffPaneHandle>(null)
  const unseen = unseenOf(review, files, viewed.isViewed)
  const verdict = useVerdict({ review, draft, actions, ...unseen })
  const tab: ReviewTab = search.tab ?? 'diff'
  const settled = review.status !== 'pending'
  const open = (next: ReviewTab, file?: string) =>
    void navigate({
      search: (before) => ({ ...before, tab: next, ...(file && { file }) }),
      replace: true,
    })
  const go = (file: string, line?: number, side: 'new' | 'old' = 'new') => {
    open('diff', file)
    // the pane is there a frame after its tab was chosen
    requestAnimationFrame(() => requestAnimationFrame(() => pane.current?.go(file, line, side)))
  }
  const goTo = (place: CommentPlace) => {
    if (place.kind === 'line') go(place.file, place.end, place.side)
    else if (place.kind === 'file') go(place.file)
  }
  const onBlocker = (at: Blocker['at']) => {
    if (at === 'comment') {
      open('conversation')
      focusComposer()
    } else if (at === 'checklist') open('checklist')
    else if (at === 'diff' && unseen.first) go(unseen.first.path)
    else open('diff')
  }
  const checklist = (narrow: boolean) => (
    <Checklist
      {...{ review, actions, settled, narrow }}
      checked={draft.checked}
      onGo={(file, line) => go(file, line)}
    />
  )
  const said = review.history.length + addedOf(draft.comments).length + (review.comment ? 1 : 0)
  return (
    <>
      <Tabs
        label="Parts of the review"
        className="flex-1"
        value={tab}
        onChange={(next) => open(next as ReviewTab)}
        tabs={[
          { value: 'summary', label: 'Summary' },
          { value: 'checklist', label: 'Checklist', count: review.checklist.length },
          { value: 'diff', label: 'Diff', count: review.size.files },
          { value: 'conversation', label: 'Conversation', count: said },
        ]}
      >
        <TabPanel value="summary">
          <ReviewSummaryPane review={review} onGo={(file) => go(file)} />
        </TabPanel>
        <TabPanel value="checklist" className="overflow-y-auto">
          <div className="mx-auto max-w-[880px] py-3">{checklist(false)}</div>
        </TabPanel>
        <TabPanel value="diff" className="flex">
          <DiffPane
            ref={pane}
            {...{ files, draft, actions, viewed }}
            current={search.file}
            onCurrent={(file) => open('diff', file)}
          />
          {roomy && review.checklist.length > 0 && (
            <aside
              aria-label="Checklist"
              className="w-[320px] shrink-0 overflow-y-auto border-l pb-4"
            >
              {checklist(true)}
            </aside>
          )}
        </TabPanel>
        <TabPanel value="conversation">
          <Conversation {...{ review, draft, actions }} onGo={goTo} />
        </TabPanel>
      </Tabs>
      {settled ? (
        <DecidedBar
          {...{ review, actions }}
          unsent={composeMessage(draft.summary, asWritten(draft.comments))}
        />
      ) : (
        <VerdictBar
          {...{ review, draft, actions, verdict }}
          rejects={review.kind === 'merge' ? REJECTS.merge : REJECTS.task}
          approveLabel={review.kind === 'merge' ? 'Approve and merge' : undefined}
          onGo={onBlocker}
        />
      )}
    </>
  )
}

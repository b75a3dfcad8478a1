import { RotateCcw } from 'lucide-react'
import { useDeferredValue, useMemo, useState } from 'react'
import type { SpecOutput } from '../../../../../contracts/outputs.ts'
import type { Review } from '../../../../../contracts/schemas.ts'
import { Badge } from '../../../components/badge.tsx'
import { Button } from '../../../components/button.tsx'
import { TabPanel, Tabs } from '../../../components/tabs.tsx'
import { cn } from '../../../lib/cn.ts'
import { plural } from '../../../lib/format.ts'
import { MEDIUM, useMedia } from '../../../lib/use-media.ts'
import { focusComposer } from '../comment-card.tsx'
import { asWritten, composeMessage } from '../compose-message.ts'
import { Conversation } from '../conversation.tsx'
import { Deviations } from '../deviations.tsx'
import { DecidedBar } from '../review-banner.tsx'
import { useReviewDraft } from '../review-draft.ts'
import { useVerdict } from '../use-verdict.ts'
import { VerdictBar } from '../verdict-bar.tsx'
import { compareSpecs } from './compare-specs.ts'
import { editsAsRemarks } from './edits-as-remarks.ts'
import { SpecDocument } from './spec-document.tsx'
import { SpecEditor } from './spec-editor.tsx'
import { specProblems } from './spec-problems.ts'

/** What the document is compared with. */
type Compare = 'nothing' | 'previous' | 'original'

/** Review of a spec: the document at the left, its fields at the right, and the verdict below. */
export function SpecReview({ review }: { review: Review }) {
  const original = review.spec?.content as SpecOutput
  const previous = review.previousSpec?.content as SpecOutput | undefined
  const { draft, actions } = useReviewDraft(review.id)
  const settled = review.status !== 'pending'
  const spec = draft.edits ?? original
  const edited = useMemo(() => compareSpecs(original, spec).count, [original, spec])
  const problems = useMemo(
    () => (draft.edits ? specProblems(draft.edits) : new Map<string, string>()),
    [draft.edits],
  )
  const verdict = useVerdict({ review, draft, actions, problems: problems.size })
  const [chosen, setCompare] = useState<Compare>()
  // edits that were not sent are what a person wants to see of a decided spec
  const first = settled && edited > 0 ? 'original' : previous ? 'previous' : 'nothing'
  // edits that were approved are no edits any more, but the version that is shown
  const compare = chosen === undefined || (chosen === 'original' && edited === 0) ? first : chosen
  const before = { nothing: undefined, previous, original }[compare]
  const roomy = !useMedia(MEDIUM)
  const [tab, setTab] = useState('read')
  // typing comes first, the drawn document follows
  const shown = useDeferredValue(settled && compare !== 'original' ? original : spec)
  const said = review.history.length + (review.comment ? 1 : 0)

  const document = (
    <div className="h-full overflow-y-auto">
      <div className="mx-auto max-w-[820px] px-5 py-5 max-md:px-2">
        <CompareChoice {...{ review, compare, edited, settled }} onChange={setCompare} />
        {review.deviations.length > 0 && (
          <section aria-label="Look at this first" className="mt-3">
            <Deviations texts={review.deviations} />
          </section>
        )}
        <SpecDocument spec={shown} {...{ before, draft, actions, settled }} />
      </div>
    </div>
  )
  const editor = (
    <div className="h-full overflow-y-auto bg-sunken">
      <div className="mx-auto max-w-[820px] px-5 py-5 max-md:px-3">
        <div className="mb-3 flex h-7 items-center gap-2">
          <h2 className="text-13 font-medium">Edit</h2>
          {edited > 0 && <Badge tone="accent">{plural(edited, 'change')}</Badge>}
          {draft.edits && (
            <Button
              size="sm"
              tone="ghost"
              icon={RotateCcw}
              className="ml-auto"
              onClick={() => actions.set({ edits: undefined })}
            >
              Discard edits
            </Button>
          )}
        </div>
        {edited > 0 && verdict.decision !== 'approve' && (
          <p className="mb-3 rounded-md bg-warn-soft px-3 py-2 text-12">
            Edits go along with an approval only; otherwise they stay here. To have the agent change
            it, say what in a comment.
          </p>
        )}
        <SpecEditor
          {...{ spec, problems }}
          onChange={(next) => {
            // what was undone is no edit, and would else be approved as a version of its own
            const isSame = compareSpecs(original, next).count === 0
            actions.set({ edits: isSame ? undefined : next })
          }}
        />
      </div>
    </div>
  )
  const conversation = <Conversation {...{ review, draft, actions }} onGo={() => setTab('read')} />
  const tabs = [
    { value: 'read', label: roomy && !settled ? 'Spec' : 'Read' },
    ...(roomy || settled ? [] : [{ value: 'edit', label: 'Edit' }]),
    { value: 'conversation', label: 'Conversation', count: said },
  ]
  return (
    <>
      <Tabs
        label="Parts of the review"
        className="flex-1"
        tabs={tabs}
        // a decision can come while the fields are open
        value={settled && tab === 'edit' ? 'read' : tab}
        onChange={setTab}
      >
        <TabPanel value="read" className="flex">
          <div className="min-w-0 flex-1">{document}</div>
          {roomy && !settled && <div className="w-[46%] min-w-0 border-l">{editor}</div>}
        </TabPanel>
        <TabPanel value="edit">{editor}</TabPanel>
        <TabPanel value="conversation">{conversation}</TabPanel>
      </Tabs>
      {settled ? (
        <DecidedBar
          {...{ review, actions }}
          unsent={composeMessage(draft.summary, [
            ...asWritten(draft.comments),
            ...editsAsRemarks(original, spec),
          ])}
        />
      ) : (
        <VerdictBar
          {...{ review, draft, actions, verdict }}
          approveLabel={edited > 0 ? `Approve with ${plural(edited, 'edit')}` : 'Approve'}
          rejects="The goal is cancelled; no code was written yet. To get another spec, request changes instead."
          onGo={(at) => {
            if (at === 'comment') {
              setTab('conversation')
              return focusComposer()
            }
            if (!roomy) setTab('edit')
            requestAnimationFrame(() =>
              window.document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(),
            )
          }}
        />
      )}
    </>
  )
}

/** Against which version the document is drawn. Nothing to choose where there is only one. */
function CompareChoice(props: {
  review: Review
  compare: Compare
  edited: number
  settled: boolean
  onChange: (compare: Compare) => void
}) {
  const { review, compare, edited, settled, onChange } = props
  const { spec, previousSpec: before } = review
  const since = review.edited ? 'Edits of the approval, since' : 'Changes since'
  const choices: [Compare, string][] = [
    ['nothing', `Version ${spec?.version ?? 1}${edited > 0 && !settled ? ', edited' : ''}`],
    ...(before
      ? ([['previous', `${since} version ${before.version}`]] as [Compare, string][])
      : []),
    ...(edited > 0 ? ([['original', 'Your edits']] as [Compare, string][]) : []),
  ]
  return (
    <fieldset className="mb-3 flex h-7 gap-0.5 px-2" aria-label="Show">
      {choices.map(([value, label]) => (
        <button
          key={value}
          type="button"
          aria-pressed={compare === value}
          onClick={() => onChange(value)}
          className={cn(
            'h-6 rounded-md px-2 text-12 whitespace-nowrap text-fg-2 hover:bg-hover touch:h-9',
            compare === value && 'bg-active font-medium text-fg',
          )}
        >
          {label}
        </button>
      ))}
    </fieldset>
  )
}

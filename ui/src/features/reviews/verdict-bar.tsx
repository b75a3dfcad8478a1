import { Check, MessageSquare, RotateCcw, X } from 'lucide-react'
import { useRef, useState } from 'react'
import type { Review } from '../../../../contracts/schemas.ts'
import { type Decision, decisionsOf } from '../../../../contracts/stages.ts'
import { useAction } from '../../app/actions/registry.ts'
import { Button } from '../../components/button.tsx'
import { ConfirmDialog } from '../../components/confirm-dialog.tsx'
import { Textarea } from '../../components/field.tsx'
import { cn } from '../../lib/cn.ts'
import { plural } from '../../lib/format.ts'
import type { Blocker } from './blockers.ts'
import { addedOf } from './compose-message.ts'
import type { DraftActions, ReviewDraft } from './review-draft.ts'
import type { Verdict } from './use-verdict.ts'

const CHOICES = [
  { decision: 'approve', label: 'Approve', icon: Check },
  { decision: 'request_changes', label: 'Request changes', icon: RotateCcw },
  { decision: 'reject', label: 'Reject', icon: X },
] as const satisfies readonly { decision: Decision; label: string; icon: typeof Check }[]

const PLACEHOLDERS: Readonly<Record<Decision, string>> = {
  approve: 'Add a note (optional)',
  request_changes: 'What should change?',
  reject: 'Why is it rejected?',
}

/** Always at the bottom: the decision, its words, and what is missing before it can be sent. */
export function VerdictBar(props: {
  review: Review
  draft: ReviewDraft
  actions: DraftActions
  verdict: Verdict
  /** What a rejection ends, for the question before it. */
  rejects: string
  /** Instead of "Approve". */
  approveLabel?: string | undefined
  onGo: (at: Blocker['at']) => void
}) {
  const { review, draft, actions, verdict } = props
  const { decision, blockers, busy } = verdict
  const [confirming, setConfirming] = useState(false)
  const note = useRef<HTMLTextAreaElement>(null)
  const submit = () => {
    if (blockers.length > 0) {
      const [first] = blockers
      if (first?.at === 'message') note.current?.focus()
      else if (first) props.onGo(first.at)
    } else if (decision === 'reject') setConfirming(true)
    else void verdict.send()
  }
  useAction({
    id: 'review.submit',
    title: 'Send verdict',
    scope: 'Review',
    keys: '$mod+Enter', // from everywhere on the page, also while typing
    onlyKeys: true,
    run: submit,
  })
  const labels = {
    approve: props.approveLabel ?? 'Approve',
    request_changes: 'Request changes',
    reject: 'Reject…',
  }
  const waiting = addedOf(draft.comments).length
  const offered = decisionsOf(review.kind)
  return (
    <section
      aria-label="Verdict"
      className="flex shrink-0 items-end gap-3 border-t bg-side px-3 py-2.5 max-lg:flex-wrap max-md:gap-2 max-md:pb-[max(10px,env(safe-area-inset-bottom))]"
    >
      <fieldset
        className="flex shrink-0 gap-0.5 rounded-md bg-active p-0.5 max-md:w-full"
        aria-label="Decision"
      >
        {CHOICES.filter((choice) => offered.includes(choice.decision)).map(
          ({ decision: one, label, icon: Icon }) => (
            <label
              key={one}
              className={cn(
                'flex h-7 cursor-default items-center justify-center gap-1.5 rounded-sm px-2 text-12 font-medium text-fg-2 whitespace-nowrap select-none has-focus-visible:outline-2 has-focus-visible:outline-focus max-md:h-10 max-md:flex-auto max-md:text-13 max-[350px]:px-1',
                decision === one && 'bg-raised text-fg shadow-raised',
              )}
            >
              <input
                type="radio"
                name="decision"
                className="sr-only"
                checked={decision === one}
                onChange={() => verdict.choose(one)}
              />
              <Icon
                size={13}
                aria-hidden="true"
                className={
                  decision === one
                    ? { approve: 'text-ok', request_changes: 'text-warn', reject: 'text-danger' }[
                        one
                      ]
                    : ''
                }
              />
              {label}
            </label>
          ),
        )}
      </fieldset>
      <div className="flex min-w-0 flex-1 flex-col gap-1 max-md:basis-full">
        <Textarea
          ref={note}
          aria-label={PLACEHOLDERS[decision]}
          placeholder={PLACEHOLDERS[decision]}
          rows={1}
          value={draft.summary}
          onChange={(event) => actions.set({ summary: event.target.value })}
          className="max-h-40 min-h-8 overflow-y-auto py-1.5 touch:min-h-10"
        />
      </div>
      <div className="flex shrink-0 items-center gap-3 max-lg:w-full max-lg:justify-end">
        <div
          className="flex min-w-0 flex-col items-end text-12 max-lg:flex-1 max-lg:items-start"
          aria-live="polite"
        >
          {waiting > 0 && (
            <span className="flex items-center gap-1 whitespace-nowrap text-fg-2">
              <MessageSquare size={12} aria-hidden="true" />
              {plural(waiting, 'comment')} {decision === 'approve' ? 'sent along' : 'to send'}
            </span>
          )}
          <Missing blockers={blockers} refused={verdict.refused} onGo={props.onGo} />
        </div>
        <Button
          size="lg"
          tone={decision === 'reject' ? 'danger' : 'primary'}
          busy={busy}
          aria-disabled={blockers.length > 0 || undefined}
          aria-describedby={blockers.length > 0 ? 'verdict-missing' : undefined}
          keys="$mod+Enter"
          onClick={submit}
        >
          {labels[decision]}
        </Button>
      </div>
      <ConfirmDialog
        open={confirming}
        title={`Reject ${review.shortId}?`}
        detail={props.rejects}
        confirm="Reject"
        dismiss="Keep reviewing"
        onConfirm={async () => {
          await verdict.send()
        }}
        onClose={() => setConfirming(false)}
      />
    </section>
  )
}

function Missing(props: {
  blockers: readonly Blocker[]
  refused: string | undefined
  onGo: (at: Blocker['at']) => void
}) {
  if (props.refused)
    return (
      <p role="alert" className="max-w-[44ch] text-danger lg:text-right">
        {props.refused}
      </p>
    )
  return (
    <p
      id="verdict-missing"
      className="flex flex-wrap justify-end gap-x-2 text-fg-2 max-lg:justify-start"
    >
      {props.blockers.map(({ text, at }) =>
        at === 'message' ? (
          <span key={text}>{text}</span>
        ) : (
          <button
            key={text}
            type="button"
            className="rounded-sm underline decoration-line-strong underline-offset-2 hover:text-fg"
            onClick={() => props.onGo(at)}
          >
            {text}
          </button>
        ),
      )}
    </p>
  )
}

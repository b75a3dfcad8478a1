import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Check, CheckCheck, Clock3, SendHorizontal, X } from 'lucide-react'
import type { AgentRunDetail, Correction } from '../../../../contracts/schemas.ts'
import { call } from '../../app/api.ts'
import { explain } from '../../app/toasts.ts'
import { Button } from '../../components/button.tsx'
import { Textarea } from '../../components/field.tsx'
import { Tooltip } from '../../components/tooltip.tsx'
import { cn } from '../../lib/cn.ts'
import { formatClock } from '../../lib/format.ts'
import { useCorrectionDraft } from './correction-draft.ts'
import { CORRECTION_STATES } from './correction-states.ts'

/** Tells a running agent something in the middle of its work, and shows how far each correction came. */
export function Composer({ run }: { run: AgentRunDetail }) {
  const [text, setText] = useCorrectionDraft(run.id)
  const client = useQueryClient()
  const send = useMutation({
    mutationFn: (body: { text: string }) => call('correctAgent', { params: { id: run.id }, body }),
    onSuccess: () => {
      setText('')
      return client.invalidateQueries({ queryKey: ['agent'] })
    },
  })
  const live = run.status === 'running'
  const submit = () => {
    if (text.trim() !== '' && !send.isPending) send.mutate({ text })
  }
  if (!live) return null
  return (
    <section aria-label="Correct the agent" className="shrink-0 border-t px-3 pt-2 pb-3">
      <Sent corrections={run.corrections} />
      <div className="flex items-end gap-2">
        <Textarea
          aria-label="Correction"
          rows={1}
          placeholder={
            run.stoppedBy === null ? 'Tell the agent something…' : 'The agent is being stopped.'
          }
          disabled={run.stoppedBy !== null}
          value={text}
          maxLength={20_000}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            const plain = event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing
            if (!plain) return
            event.preventDefault()
            submit()
          }}
          className="max-h-40 min-h-8 py-1.5"
        />
        <Button
          tone="primary"
          size="lg"
          icon={SendHorizontal}
          busy={send.isPending}
          disabled={text.trim() === '' || run.stoppedBy !== null}
          onClick={submit}
        >
          Send
        </Button>
      </div>
      {send.error ? (
        <p role="alert" className="mt-1 text-12 text-danger">
          {explain(send.error)}
        </p>
      ) : (
        <p className="mt-1 text-11 text-fg-3 max-md:hidden">
          Enter sends, Shift+Enter begins a line. It is queued while the agent is busy, and later
          attempts are told too.
        </p>
      )}
    </section>
  )
}

/** What is on its way, and the last that arrived. */
function Sent({ corrections }: { corrections: readonly Correction[] }) {
  const open = corrections.filter(({ state }) => state !== 'applied')
  const last = corrections.findLast(({ state }) => state === 'applied')
  const shown = [...(last ? [last] : []), ...open]
  if (shown.length === 0) return null
  return (
    <ol aria-label="Corrections" aria-live="polite" className="mb-2 flex flex-col gap-1">
      {shown.map((one) => (
        <li key={one.id} className="flex min-w-0 items-center gap-2 text-12">
          <State correction={one} />
          <bdi className="min-w-0 flex-1 truncate text-fg-2">{one.text}</bdi>
        </li>
      ))}
    </ol>
  )
}

const ICONS = { queued: Clock3, delivered: Check, applied: CheckCheck, expired: X } as const

function State({ correction }: { correction: Correction }) {
  const { state } = correction
  const { word, meaning } = CORRECTION_STATES[state]
  const Icon = ICONS[state]
  const at = {
    queued: correction.createdAt,
    delivered: correction.deliveredAt,
    applied: correction.appliedAt,
    expired: null,
  }
  return (
    <Tooltip
      label={`${formatClock(at[state] ?? correction.createdAt)}: ${correction.note ?? meaning}`}
      side="top"
    >
      <span
        className={cn(
          'flex w-[84px] shrink-0 items-center gap-1.5 font-medium',
          state === 'applied' ? 'text-ok' : state === 'delivered' ? 'text-accent-fg' : 'text-fg-3',
        )}
      >
        <Icon size={13} aria-hidden="true" />
        {word}
      </span>
    </Tooltip>
  )
}

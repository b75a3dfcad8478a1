import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Check, CheckCheck, Clipboard, Clock3, SendHorizontal, X } from 'lucide-react'
import type { AgentRunDetail, Correction } from '../../../../contracts/schemas.ts'
import { call } from '../../app/api.ts'
import { copy, explain } from '../../app/toasts.ts'
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
    onSuccess: (_, { text: sent }) => {
      // a person writes on while it is sent
      setText((now) => (now.startsWith(sent) ? now.slice(sent.length).trimStart() : now))
      return client.invalidateQueries({ queryKey: ['agent'] })
    },
  })
  const live = run.status === 'running'
  const open = live && run.stoppedBy === null
  const submit = () => {
    if (open && text.trim() !== '' && !send.isPending) send.mutate({ text })
  }
  const missed = run.corrections.filter(({ state }) => state !== 'applied')
  if (!live && text === '')
    return missed.length === 0 ? null : (
      <section aria-label="Corrections" className="shrink-0 border-t px-3 pt-2">
        <Told corrections={missed} />
      </section>
    )
  return (
    <section aria-label="Correct the agent" className="shrink-0 border-t px-3 pt-2 pb-3">
      <Told corrections={live ? latest(run.corrections) : missed} />
      <div className="flex items-end gap-2">
        <Textarea
          aria-label="Correction"
          rows={1}
          placeholder={open ? 'Tell the agent something…' : 'The agent is being stopped.'}
          readOnly={!open} // and keeps the focus: keys that are pressed on would act on the page
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
        {live ? (
          <Button
            tone="primary"
            size="lg"
            icon={SendHorizontal}
            busy={send.isPending}
            disabled={text.trim() === '' || !open}
            onClick={submit}
          >
            Send
          </Button>
        ) : (
          <Unsent text={text} onDiscard={() => setText('')} />
        )}
      </div>
      {!live ? (
        <p role="alert" className="mt-1 text-12 text-warn">
          The run ended before this was sent.
        </p>
      ) : send.error ? (
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

function Unsent({ text, onDiscard }: { text: string; onDiscard: () => void }) {
  return (
    <>
      <Button size="lg" icon={Clipboard} onClick={() => void copy(text, 'Copied')}>
        Copy
      </Button>
      <Button size="lg" tone="ghost" onClick={onDiscard}>
        Discard
      </Button>
    </>
  )
}

/** What is on its way, and the last that arrived. */
function latest(corrections: readonly Correction[]): Correction[] {
  const last = corrections.findLast(({ state }) => state === 'applied')
  return [...(last ? [last] : []), ...corrections.filter(({ state }) => state !== 'applied')]
}

/** How far corrections came. */
function Told({ corrections: shown }: { corrections: readonly Correction[] }) {
  if (shown.length === 0) return null
  return (
    <ol
      aria-label="Corrections"
      aria-live="polite"
      className="mb-2 flex max-h-28 flex-col gap-1 overflow-y-auto"
    >
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

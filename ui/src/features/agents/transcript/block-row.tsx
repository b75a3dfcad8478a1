import {
  ChevronRight,
  FileMinus2,
  FilePen,
  FilePlus2,
  Lightbulb,
  type LucideIcon,
} from 'lucide-react'
import { memo } from 'react'
import { actorName, formatDuration } from '../../../../../contracts/figures.ts'
import type { Correction } from '../../../../../contracts/schemas.ts'
import { lookOf } from '../../../components/status-icon.tsx'
import { cn } from '../../../lib/cn.ts'
import { formatClock } from '../../../lib/format.ts'
import { CORRECTION_STATES, laterOf } from '../correction-states.ts'
import { Marked, RichText } from './rich-text.tsx'
import type { Block } from './transcript-blocks.ts'

interface RowProps {
  block: Block
  open: boolean
  onToggle: (key: number) => void
  /** Marked in it; empty marks nothing. */
  find: string
  corrections: readonly Correction[]
}

/** One block of a transcript. It is drawn anew only when it changed, so its block must be a new object then. */
export const BlockRow = memo(function BlockRow(props: RowProps) {
  const { block, find } = props
  switch (block.type) {
    case 'said':
      return (
        <div className="max-w-[84ch] px-4 py-1.5 text-13 text-fg">
          <RichText text={block.text} fenced={block.fenced} find={find} />
        </div>
      )
    case 'thought':
      return <ThoughtRow {...props} block={block} />
    case 'tool':
      return <ToolRow {...props} block={block} />
    case 'file':
      return <FileRow block={block} find={find} />
    case 'correction':
      return <CorrectionRow block={block} corrections={props.corrections} />
    case 'note':
      return (
        <p className={cn('px-4 py-0.5 font-mono text-12 break-words', NOTE_TONES[block.tone])}>
          <bdi>
            <Marked text={block.text} find={find} />
          </bdi>
        </p>
      )
    default:
      return block satisfies never
  }
})

type Of<T extends Block['type']> = Extract<Block, { type: T }>

const NOTE_TONES = {
  quiet: 'text-fg-3',
  warn: 'text-warn',
  danger: 'text-danger',
  ok: 'text-ok',
} as const

const SUMMARY =
  'flex min-h-7 w-full min-w-0 items-center gap-2 rounded-md px-2 text-left hover:bg-hover touch:min-h-9'

function Chevron({ open }: { open: boolean }) {
  return (
    <ChevronRight
      size={13}
      className={cn('shrink-0 text-fg-3', open && 'rotate-90')}
      aria-hidden="true"
    />
  )
}

function ThoughtRow({ block, open, onToggle, find }: RowProps & { block: Of<'thought'> }) {
  return (
    <div className="px-2 py-0.5 text-fg-2">
      <button
        type="button"
        aria-expanded={open}
        onClick={() => onToggle(block.key)}
        className={SUMMARY}
      >
        <Chevron open={open} />
        <Lightbulb size={13} className="shrink-0 text-fg-3" aria-hidden="true" />
        <span className="shrink-0 text-12">Thought</span>
        {!open && (
          <bdi className="min-w-0 truncate text-12 text-fg-3">
            <Marked text={block.text.trim().slice(0, 300)} find={find} />
          </bdi>
        )}
      </button>
      {open && (
        <div className="mb-1 ml-3.5 max-w-[84ch] border-l py-1 pl-4 text-13">
          <RichText text={block.text} fenced={block.fenced} find={find} />
        </div>
      )}
    </div>
  )
}

function ToolRow({ block, open, onToggle, find }: RowProps & { block: Of<'tool'> }) {
  const { name, input, ok, output } = block
  const ms = Date.parse(block.until) - Date.parse(block.at)
  return (
    <div className="px-2 py-0.5">
      <button
        type="button"
        aria-expanded={open}
        onClick={() => onToggle(block.key)}
        className={SUMMARY}
      >
        <Chevron open={open} />
        <span className="shrink-0 font-mono text-12 font-medium text-fg-2">{name ?? 'result'}</span>
        <bdi className="min-w-0 flex-1 truncate font-mono text-12 text-fg-3">
          <Marked text={input.slice(0, 300) || output.slice(0, 300)} find={find} />
        </bdi>
        <span className="figure shrink-0 text-11 text-fg-3">
          {ok === undefined && lookOf('running').word}
          {ok === false && <span className="font-medium text-danger">Failed</span>}
          {ok && ms >= 1000 && formatDuration(ms)}
        </span>
      </button>
      {open && (
        <div className="mt-0.5 mb-1.5 ml-3.5 flex flex-col gap-1.5 border-l pl-4">
          {input !== '' && <Output label="Input" text={input} find={find} />}
          {output !== '' && <Output label="Output" text={output} find={find} />}
          {ok !== undefined && output === '' && (
            <p className="text-12 text-fg-3">It answered nothing.</p>
          )}
        </div>
      )}
    </div>
  )
}

/** More is not drawn at once: a tool may print megabytes. */
const SHOWN = 20_000

function Output({ label, text, find }: { label: string; text: string; find: string }) {
  return (
    <section aria-label={label}>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard must reach it
        tabIndex={0}
        dir="auto"
        className="max-h-80 overflow-auto rounded-md border bg-sunken px-3 py-2 font-mono text-12 break-words whitespace-pre-wrap text-fg-2"
      >
        <Marked text={text.slice(0, SHOWN)} find={find} />
        {text.length > SHOWN && `\n… ${(text.length - SHOWN).toLocaleString()} more characters`}
      </pre>
    </section>
  )
}

const FILES: Readonly<Record<string, { icon: LucideIcon; word: string }>> = {
  create: { icon: FilePlus2, word: 'Created' },
  edit: { icon: FilePen, word: 'Edited' },
  delete: { icon: FileMinus2, word: 'Deleted' },
}

function FileRow({ block, find }: { block: Of<'file'>; find: string }) {
  const { icon: Icon, word } = FILES[block.change] ?? { icon: FilePen, word: block.change }
  return (
    <p className="flex min-h-7 items-center gap-2 px-4 text-12">
      <Icon size={13} className="shrink-0 text-fg-3" aria-hidden="true" />
      <span className="text-fg-2">{word}</span>
      <bdi className="min-w-0 truncate font-mono">
        <Marked text={block.path} find={find} />
      </bdi>
    </p>
  )
}

function CorrectionRow(props: { block: Of<'correction'>; corrections: readonly Correction[] }) {
  const { block, corrections } = props
  const known = corrections.find(({ id }) => id === block.id)
  const state = laterOf(block.state, known?.state)
  const at = state === block.state ? block.until : known?.deliveredAt
  return (
    <div className="px-4 py-1.5">
      <div className="max-w-[84ch] rounded-md border border-accent/30 bg-accent-soft px-3 py-1.5">
        <p dir="auto" className="break-words whitespace-pre-wrap">
          {known?.text ?? 'A correction'}
        </p>
        <p className="mt-0.5 text-11 text-accent-fg">
          {known && `${actorName(known.by)} · `}
          {CORRECTION_STATES[state].word}
          {at && ` ${formatClock(at)}`}
          {known?.note && `: ${known.note}`}
        </p>
      </div>
    </div>
  )
}

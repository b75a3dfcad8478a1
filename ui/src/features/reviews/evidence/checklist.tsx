import {
  CircleCheck,
  CircleDashed,
  CircleX,
  SquareArrowOutUpRight,
  TriangleAlert,
} from 'lucide-react'
import { type ReactNode, useState } from 'react'
import { hasPassed } from '../../../../../contracts/figures.ts'
import type { ChecklistItem, Review } from '../../../../../contracts/schemas.ts'
import { AdapterMark } from '../../../components/adapter-mark.tsx'
import { Button } from '../../../components/button.tsx'
import { InlineCode } from '../../../components/inline-code.tsx'
import { cn } from '../../../lib/cn.ts'
import type { DraftActions } from '../review-draft.ts'
import { groupChecklist } from './group-checklist.ts'

const RESULTS = {
  pass: { icon: CircleCheck, word: 'passed', tone: 'text-ok' },
  warn: { icon: TriangleAlert, word: 'warning', tone: 'text-warn' },
  fail: { icon: CircleX, word: 'failed', tone: 'text-danger' },
  unchecked: { icon: CircleDashed, word: 'nobody checked it', tone: 'text-fg-3' },
} as const

/** What was asked for and whether it holds, with the evidence; the person checks each item before a blocking approval. */
export function Checklist(props: {
  review: Review
  checked: readonly string[]
  actions: DraftActions
  onGo: (file: string, line?: number) => void
  /** Not to be changed any more. */
  settled: boolean
  /** Beside the diff: less room. */
  narrow?: boolean
}) {
  const { review, checked, actions, settled } = props
  const { checklist } = review
  if (checklist.length === 0)
    return <p className="px-4 py-3 text-fg-3">There is nothing to check off in this review.</p>
  const passed = checklist.filter((item) => hasPassed(item) && !checked.includes(item.id))
  const done = checklist.filter(({ id }) => checked.includes(id)).length
  return (
    <div>
      {!settled && (
        <div className="flex min-h-10 items-center gap-2 px-4 text-12 text-fg-2">
          <span className="flex-1">
            {done} of {checklist.length} checked
          </span>
          {passed.length > 0 && (
            <Button
              size="sm"
              onClick={() =>
                actions.check(
                  passed.map(({ id }) => id),
                  true,
                )
              }
            >
              Check {passed.length} passed
            </Button>
          )}
        </div>
      )}
      <Opinion review={review} />
      {groupChecklist(checklist).map(({ title, items }) => (
        <section key={title} aria-label={title}>
          <h2 className="flex h-8 items-center gap-2 px-4 text-11 font-medium text-fg-3">
            {title} <span className="font-normal">{items.length}</span>
          </h2>
          <ul>
            {items.map((item) => (
              <Item
                key={item.id}
                item={item}
                checked={checked.includes(item.id)}
                onCheck={settled ? undefined : (value) => actions.check([item.id], value)}
                onGo={props.onGo}
                narrow={props.narrow ?? false}
              />
            ))}
          </ul>
        </section>
      ))}
    </div>
  )
}

/** Longer evidence is folded to its beginning. */
const LONG = { characters: 220, lines: 3 }

function Item(props: {
  item: ChecklistItem
  checked: boolean
  onCheck: ((checked: boolean) => void) | undefined
  onGo: (file: string, line?: number) => void
  narrow: boolean
}) {
  const { item } = props
  const { icon: Icon, word, tone } = RESULTS[item.result]
  const evidence = withoutPlace(item)
  const isCheck = item.id.startsWith('check:')
  return (
    <li className={cn('flex gap-2.5 px-4 py-1.5', props.checked && 'text-fg-2')}>
      {props.onCheck && (
        <input
          type="checkbox"
          aria-label={`${item.id}: ${item.text}`}
          className="mt-[3px] size-3.5 shrink-0 accent-(--accent) touch:size-5"
          checked={props.checked}
          onChange={(event) => props.onCheck?.(event.target.checked)}
        />
      )}
      <div className="min-w-0 flex-1">
        <p dir="auto">
          <Icon
            size={13}
            className={cn('mr-1.5 inline-block -translate-y-px', tone)}
            aria-hidden="true"
          />
          <span className="sr-only">{word}: </span>
          {!isCheck && <span className="mr-1.5 text-12 text-fg-3">{item.id}</span>}
          <InlineCode text={item.text} />
        </p>
        {item.file && (
          <button
            type="button"
            onClick={() => item.file && props.onGo(item.file, item.line)}
            className="flex max-w-full items-center gap-1 rounded-sm font-mono text-12 text-accent-fg hover:underline"
          >
            <bdi className="truncate">
              {props.narrow ? item.file.slice(item.file.lastIndexOf('/') + 1) : item.file}
              {item.line && `:${item.line}`}
            </bdi>
            <SquareArrowOutUpRight size={11} className="shrink-0" aria-hidden="true" />
          </button>
        )}
        {item.second?.disagrees ? (
          <Disagreement item={item} second={item.second} evidence={evidence} />
        ) : (
          <>
            {evidence &&
              (isCheck ? (
                <Output text={evidence} open={item.result === 'fail'} />
              ) : (
                <Evidence text={evidence} />
              ))}
            {item.second && <Agreement adapter={item.second.adapter} />}
          </>
        )}
      </div>
    </li>
  )
}

/** Who gave a second opinion on security and how it went, or that it is missing and why. */
function Opinion({ review }: { review: Review }) {
  const { secondOpinion, checklist } = review
  if (!secondOpinion) return null
  const { adapter, status, reason } = secondOpinion
  const disputed = checklist.filter(({ second }) => second?.disagrees).map(({ id }) => id)
  const open = status === 'missing' || disputed.length > 0
  const words = {
    given: disputed.length > 0 ? `disagrees with Verify on ${disputed.join(', ')}.` : 'agrees.',
    missing: `is missing: ${reason}`,
    not_needed: `was not needed: ${reason}.`,
  }[status]
  return (
    <p
      className={cn('mx-4 mb-1 rounded-md px-3 py-2 text-12', open ? 'bg-warn-soft' : 'bg-sunken')}
    >
      <span className="font-medium">Second opinion on security</span>{' '}
      {status === 'missing' ? '' : 'of '}
      {status !== 'missing' && <AdapterMark adapter={adapter} />} <bdi>{words}</bdi>
    </p>
  )
}

/** That another agent says the same. */
const Agreement = ({ adapter }: { adapter: string }) => (
  <p className="flex items-center gap-1.5 text-12 text-fg-3">
    <AdapterMark adapter={adapter} /> agrees
  </p>
)

/** What Verify and the second agent say of an item, side by side. */
function Disagreement(props: {
  item: ChecklistItem
  second: NonNullable<ChecklistItem['second']>
  evidence: string | null
}) {
  const { item, second } = props
  return (
    <div className="@container mt-1">
      <dl className="grid gap-1.5 text-12 @[440px]:grid-cols-2">
        <Voice name="Verify" says={{ ...item, evidence: props.evidence }} />
        <Voice name={<AdapterMark adapter={second.adapter} />} says={second} />
      </dl>
    </div>
  )
}

function Voice(props: {
  name: ReactNode
  says: Pick<ChecklistItem, 'result' | 'evidence' | 'file' | 'line'>
}) {
  const { result, evidence, file, line } = props.says
  const { icon: Icon, word, tone } = RESULTS[result]
  return (
    <div className="min-w-0 rounded-md border border-warn/40 bg-warn-soft px-2.5 py-1.5">
      <dt className="flex flex-wrap items-center gap-x-1.5 font-medium">
        {props.name} <Icon size={13} className={tone} aria-hidden="true" /> {word}
      </dt>
      <dd>
        {evidence && <Evidence text={evidence} />}
        {file && (
          <bdi className="font-mono break-all text-fg-2">
            {file}
            {line && `:${line}`}
          </bdi>
        )}
      </dd>
    </div>
  )
}

/** What a check printed. */
function Output(props: { text: string; open: boolean }) {
  return (
    <details open={props.open}>
      <summary className="w-fit cursor-default rounded-sm text-12 text-fg-3 hover:text-fg">
        Output
      </summary>
      <pre
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
        tabIndex={0}
        className="mt-1 max-h-72 overflow-auto rounded-md border bg-sunken px-2.5 py-2 font-mono text-12 leading-[18px] whitespace-pre-wrap"
      >
        {props.text}
      </pre>
    </details>
  )
}

function Evidence({ text }: { text: string }) {
  const [open, setOpen] = useState(false)
  const long = text.length > LONG.characters || text.split('\n').length > LONG.lines
  return (
    <div className="text-12 text-fg-2">
      <p
        dir="auto"
        className={cn('break-words whitespace-pre-wrap', long && !open && 'line-clamp-2')}
      >
        {text}
      </p>
      {long && (
        <button
          type="button"
          className="rounded-sm text-fg-3 hover:text-fg"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {open ? 'Show less' : 'Show all'}
        </button>
      )}
    </div>
  )
}

/** The place is a link of its own, so it is taken off the end of the evidence. */
function withoutPlace({ evidence, file, line }: ChecklistItem): string | null {
  if (evidence === null || file === undefined) return evidence
  const place = ` (${file}${line ? `:${line}` : ''})`
  return evidence.endsWith(place) ? evidence.slice(0, -place.length) : evidence
}

import { ArrowRight, MessageSquarePlus } from 'lucide-react'
import type { ReactNode } from 'react'
import type { SpecOutput, SpecTask } from '../../../../../contracts/outputs.ts'
import { Badge } from '../../../components/badge.tsx'
import { IconButton } from '../../../components/button.tsx'
import { Markdown } from '../../../components/markdown.tsx'
import { cn } from '../../../lib/cn.ts'
import { CommentCard } from '../comment-card.tsx'
import type { DraftActions, ReviewDraft } from '../review-draft.ts'
import { compareSpecs, type ItemChange } from './compare-specs.ts'
import { wordDiff } from './word-diff.ts'

interface Remarks {
  draft: ReviewDraft
  actions: DraftActions
  /** Nothing can be said any more. */
  settled: boolean
}

/** A spec to be read. With `before`, what differs from that version is marked. Every part takes comments. */
export function SpecDocument(
  props: { spec: SpecOutput; before: SpecOutput | undefined } & Remarks,
) {
  const { spec, before, ...remarks } = props
  const change = compareSpecs(before ?? spec, spec)
  const marked = before !== undefined
  const items = (rows: readonly ItemChange<SpecOutput['requirements'][number]>[]) => (
    <ol className="flex flex-col">
      {rows.map((row) => (
        <Part key={row.key} name={row.key} change={row.change} {...remarks}>
          <div className="flex gap-3">
            <span className="w-14 shrink-0 pt-px text-12 text-fg-3">
              <bdi>{row.key}</bdi>
            </span>
            <div className="min-w-0 flex-1">
              <Text before={row.before?.text} after={row.after?.text} />
            </div>
          </div>
        </Part>
      ))}
    </ol>
  )
  return (
    <article className="flex flex-col gap-6" aria-label="Spec">
      <Part name="Summary" {...remarks}>
        <h2 dir="auto" className="text-16 font-semibold">
          {marked ? <Words {...change.title} /> : spec.title}
        </h2>
        <div className="mt-2 text-fg-2">
          <Text before={change.summary.before} after={change.summary.after} />
        </div>
      </Part>
      <Section
        title="Requirements"
        count={spec.requirements.length}
        reordered={change.reordered.includes('requirements')}
      >
        {items(change.requirements)}
      </Section>
      <Section
        title="Acceptance"
        count={spec.acceptance.length}
        reordered={change.reordered.includes('acceptance')}
      >
        {items(change.acceptance)}
      </Section>
      <Section
        title="Tasks"
        count={spec.tasks.length}
        reordered={change.reordered.includes('tasks')}
      >
        <ol className="flex flex-col gap-2">
          {change.tasks.map((row) => (
            <Part key={row.key} name={`Task ${row.key}`} change={row.change} boxed {...remarks}>
              <TaskText before={row.before} after={row.after} />
            </Part>
          ))}
        </ol>
      </Section>
    </article>
  )
}

function Section(props: { title: string; count: number; reordered: boolean; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-1 flex items-center gap-2 px-3 text-13 font-medium">
        {props.title} <span className="font-normal text-fg-3">{props.count}</span>
        {props.reordered && <Badge tone="accent">In another order</Badge>}
      </h3>
      {props.children}
    </section>
  )
}

const CHANGES = {
  added: { word: 'New', tone: 'ok' },
  removed: { word: 'Removed', tone: 'danger' },
  changed: { word: 'Changed', tone: 'accent' },
} as const

/** One part of a spec, with what was said about it. */
function Part(
  props: {
    name: string
    change?: ItemChange<unknown>['change']
    boxed?: boolean
    children: ReactNode
  } & Remarks,
) {
  const { name, draft, actions, settled } = props
  const mine = draft.comments.filter(
    ({ place }) => place.kind === 'section' && place.section === name,
  )
  const change =
    props.change === undefined || props.change === 'same' ? undefined : CHANGES[props.change]
  const Tag = name === 'Summary' ? 'div' : 'li'
  return (
    <Tag
      className={cn(
        'group relative rounded-md px-3 py-1.5 pr-10',
        props.boxed && 'border py-2.5',
        props.change === 'removed' && 'opacity-70',
      )}
    >
      {change && (
        <Badge tone={change.tone} className="mb-1">
          {change.word}
        </Badge>
      )}
      {props.children}
      {!settled && (
        <IconButton
          size="sm"
          icon={MessageSquarePlus}
          label={`Comment on ${name}`}
          onClick={() => actions.comment({ kind: 'section', section: name })}
          className="absolute top-1 right-2 opacity-0 group-hover:opacity-100 focus-visible:opacity-100 touch:opacity-100"
        />
      )}
      {mine.map((comment) => (
        <CommentCard key={comment.id} {...{ comment, actions }} />
      ))}
    </Tag>
  )
}

interface Versions {
  before: SpecTask | undefined
  after: SpecTask | undefined
}

const ROLES: Readonly<Record<SpecTask['role'], string>> = {
  implement: 'Implement',
  frontend: 'Frontend',
}

function TaskText({ before, after }: Versions) {
  const [was, is] = [before ?? after, after ?? before]
  if (!was || !is) return null
  const needs = ({ dependsOn }: SpecTask) =>
    dependsOn.length === 0 ? '' : `after ${dependsOn.join(', ')}`
  const writer = ({ agent }: SpecTask) => (agent ? `written by ${agent.adapter}` : '')
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <span dir="auto" className="font-medium">
          <Words before={was.title} after={is.title} />
        </span>
        <Both before={ROLES[was.role]} after={ROLES[is.role]}>
          {(role) => <Badge>{role}</Badge>}
        </Both>
        <Both before={writer(was)} after={writer(is)}>
          {(name) => <Badge tone="outline">{name}</Badge>}
        </Both>
        <span className="font-mono text-12 text-fg-3">{is.key}</span>
        <Both before={needs(was)} after={needs(is)}>
          {(keys) => (
            <span className="inline-flex items-center gap-1 text-12 text-fg-3">
              <ArrowRight size={12} aria-hidden="true" />
              {keys}
            </span>
          )}
        </Both>
      </div>
      <div className="mt-1 text-fg-2">
        <Text before={before?.description} after={after?.description} />
      </div>
    </>
  )
}

/** A fact as one version has it and, where that is another, as the other has it too; nothing where it is empty. */
function Both(props: { before: string; after: string; children: (text: string) => ReactNode }) {
  const { before, after, children } = props
  if (before === after) return after !== '' && children(after)
  return (
    <>
      {before !== '' && <del className={REMOVED}>{children(before)}</del>}
      {after !== '' && <ins className={ADDED}>{children(after)}</ins>}
    </>
  )
}

const ADDED = 'rounded-[2px] bg-add text-fg no-underline'
const REMOVED = 'rounded-[2px] bg-remove text-fg line-through'

/** A text that is the same in both versions is drawn as Markdown, one that differs word by word. */
function Text({ before, after }: { before: string | undefined; after: string | undefined }) {
  if (before !== undefined && after !== undefined && before !== after)
    return (
      <p dir="auto" className="max-w-[72ch] break-words whitespace-pre-wrap">
        <Words before={before} after={after} />
      </p>
    )
  return <Markdown text={after ?? before ?? ''} />
}

function Words({ before, after }: { before: string; after: string }) {
  return wordDiff(before, after).map(({ kind, text }, index) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces of a text have no identity but their place
    if (kind === 'same') return <span key={index}>{text}</span>
    const Mark = kind === 'added' ? 'ins' : 'del'
    return (
      <Mark
        // biome-ignore lint/suspicious/noArrayIndexKey: as above
        key={index}
        className={kind === 'added' ? ADDED : REMOVED}
      >
        {text}
      </Mark>
    )
  })
}

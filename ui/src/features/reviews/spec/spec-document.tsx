import { ArrowRight, MessageSquarePlus } from 'lucide-react'
import { type ReactNode, useState } from 'react'
import type { SpecOutput, SpecTask } from '../../../../../contracts/outputs.ts'
import { Badge } from '../../../components/badge.tsx'
import { IconButton } from '../../../components/button.tsx'
import { Markdown } from '../../../components/markdown.tsx'
import { cn } from '../../../lib/cn.ts'
import { CommentCard, CommentComposer } from '../comment-card.tsx'
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
      <Section title="Requirements" count={spec.requirements.length}>
        {items(change.requirements)}
      </Section>
      <Section title="Acceptance" count={spec.acceptance.length}>
        {items(change.acceptance)}
      </Section>
      <Section title="Tasks" count={spec.tasks.length}>
        <ol className="flex flex-col gap-2">
          {change.tasks.map((row) => (
            <Part key={row.key} name={`Task ${row.key}`} change={row.change} boxed {...remarks}>
              <TaskText {...row} />
            </Part>
          ))}
        </ol>
      </Section>
    </article>
  )
}

function Section(props: { title: string; count: number; children: ReactNode }) {
  return (
    <section>
      <h3 className="mb-1 flex items-center gap-2 px-3 text-13 font-medium">
        {props.title} <span className="font-normal text-fg-3">{props.count}</span>
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
  const [writing, setWriting] = useState(false)
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
          onClick={() => setWriting(true)}
          className="absolute top-1 right-2 opacity-0 group-hover:opacity-100 focus-visible:opacity-100 touch:opacity-100"
        />
      )}
      {mine.map((comment) => (
        <CommentCard
          key={comment.id}
          comment={comment}
          onChange={(text) => actions.changeComment(comment.id, text)}
          onRemove={() => actions.removeComment(comment.id)}
        />
      ))}
      {writing && (
        <CommentComposer
          place={{ kind: 'section', section: name }}
          onCancel={() => setWriting(false)}
          onDone={(text) => {
            actions.addComment({ kind: 'section', section: name }, text)
            setWriting(false)
          }}
        />
      )}
    </Tag>
  )
}

function TaskText({ before, after }: ItemChange<SpecTask>) {
  const task = after ?? before
  if (!task) return null
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <span dir="auto" className="font-medium">
          <Words before={before?.title ?? task.title} after={after?.title ?? task.title} />
        </span>
        <Badge>{task.role === 'frontend' ? 'Frontend' : 'Implement'}</Badge>
        {task.agent && <Badge tone="outline">written by {task.agent.adapter}</Badge>}
        <span className="font-mono text-12 text-fg-3">{task.key}</span>
        {task.dependsOn.length > 0 && (
          <span className="flex items-center gap-1 text-12 text-fg-3">
            <ArrowRight size={12} aria-hidden="true" />
            after {task.dependsOn.join(', ')}
          </span>
        )}
      </div>
      <div className="mt-1 text-fg-2">
        <Text before={before?.description} after={after?.description} />
      </div>
    </>
  )
}

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
        className={cn(
          'rounded-[2px] text-fg',
          kind === 'added' ? 'bg-add no-underline' : 'bg-remove line-through',
        )}
      >
        {text}
      </Mark>
    )
  })
}

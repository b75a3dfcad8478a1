import { Pencil, Trash2 } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { Badge } from '../../components/badge.tsx'
import { Button, IconButton } from '../../components/button.tsx'
import { Textarea } from '../../components/field.tsx'
import {
  type CommentPlace,
  type DraftComment,
  placeLabel,
  unfinishedOf,
} from './compose-message.ts'
import type { DraftActions } from './review-draft.ts'

interface CommentProps {
  comment: DraftComment
  actions: DraftActions
  /** Absent where the place is next to it anyway. */
  onGo?: (() => void) | undefined
}

/** A remark that waits for the verdict, or is being written; it can still be changed or thrown away. */
export function CommentCard(props: CommentProps) {
  const { comment, actions } = props
  const { id, place, text, writing } = comment
  if (writing !== undefined) return <CommentComposer {...props} writing={writing} />
  return (
    <article className="m-2 max-w-[640px] rounded-md border bg-raised px-3 py-2 font-sans text-13 shadow-raised">
      <header className="flex h-6 items-center gap-2 text-12 text-fg-3">
        {props.onGo ? (
          <button
            type="button"
            className="min-w-0 truncate rounded-sm hover:text-fg"
            onClick={props.onGo}
          >
            <PlaceName place={place} />
          </button>
        ) : (
          <span>{placeLabel(place)}</span>
        )}
        <Badge>Not sent yet</Badge>
        <span className="ml-auto flex">
          <IconButton
            size="sm"
            icon={Pencil}
            label="Edit comment"
            onClick={() => actions.changeComment(id, { writing: text })}
          />
          <IconButton
            size="sm"
            icon={Trash2}
            label="Delete comment"
            onClick={() => actions.removeComment(id)}
          />
        </span>
      </header>
      <p dir="auto" className="break-words whitespace-pre-wrap">
        {text}
      </p>
    </article>
  )
}

/** `a.ts, line 12`. */
function PlaceName({ place }: { place: CommentPlace }) {
  if (place.kind === 'section') return <bdi>{place.section}</bdi>
  return (
    <>
      <bdi className="font-mono">{place.file.slice(place.file.lastIndexOf('/') + 1)}</bdi>
      {`, ${placeLabel(place)?.toLowerCase()}`}
    </>
  )
}

/** Goes to the first field of a remark, once the tab that was chosen is drawn. The conversation has all of them, also on files that are not shown. */
export function focusComposer(): void {
  const focus = () =>
    document.querySelector<HTMLElement>('textarea[aria-label^="Comment:"]')?.focus()
  requestAnimationFrame(() => requestAnimationFrame(focus))
}

/** Where a remark is written. Cmd+Enter adds it to the review; Escape leaves the field, and ends what says nothing new. */
function CommentComposer({ comment, actions, writing }: CommentProps & { writing: string }) {
  const { id, place, text } = comment
  const field = useRef<HTMLTextAreaElement>(null)
  const isNew = unfinishedOf([comment]).length === 0
  // biome-ignore lint/correctness/useExhaustiveDependencies: as it opens; one that comes back into sight takes no focus
  useEffect(() => {
    if (!isNew) return undefined
    // the row it stands in is only now in the page
    const frame = requestAnimationFrame(() => {
      field.current?.focus({ preventScroll: true })
      field.current?.setSelectionRange(text.length, text.length)
    })
    return () => cancelAnimationFrame(frame)
  }, [])
  const done = () => {
    if (writing.trim() !== '')
      actions.changeComment(id, { text: writing.trim(), writing: undefined })
  }
  const cancel = () => {
    if (text === '') actions.removeComment(id)
    else actions.changeComment(id, { writing: undefined })
  }
  const label = placeLabel(place) ?? (place.kind === 'section' ? place.section : '')
  return (
    <form
      className="m-2 flex max-w-[640px] flex-col gap-2 rounded-md border border-line-strong bg-raised p-2 font-sans text-13 shadow-raised"
      onSubmit={(event) => {
        event.preventDefault()
        done()
      }}
    >
      <Textarea
        ref={field}
        aria-label={`Comment: ${label}`}
        placeholder="What should change here?"
        value={writing}
        onChange={(event) => actions.changeComment(id, { writing: event.target.value })}
        onKeyDown={(event) => {
          event.stopPropagation() // Cmd+Enter here is about this remark, not about the verdict
          if (event.nativeEvent.isComposing) return
          if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) done()
          else if (event.key === 'Escape') isNew ? cancel() : event.currentTarget.blur()
        }}
        className="min-h-14"
      />
      <div className="flex items-center gap-2">
        <span className="flex-1 text-12 text-fg-3">{label}</span>
        <Button size="sm" tone="ghost" onClick={cancel}>
          Cancel
        </Button>
        <Button size="sm" tone="primary" type="submit" aria-disabled={writing.trim() === ''}>
          {text === '' ? 'Add comment' : 'Save'}
        </Button>
      </div>
    </form>
  )
}

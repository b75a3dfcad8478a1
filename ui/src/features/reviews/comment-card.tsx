import { Pencil, Trash2 } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { Badge } from '../../components/badge.tsx'
import { Button, IconButton } from '../../components/button.tsx'
import { Textarea } from '../../components/field.tsx'
import { type CommentPlace, type DraftComment, placeLabel } from './compose-message.ts'

/** A remark that waits for the verdict; it can still be changed or thrown away. */
export function CommentCard(props: {
  comment: DraftComment
  onChange: (text: string) => void
  onRemove: () => void
  /** Absent where the place is next to it anyway. */
  onGo?: (() => void) | undefined
}) {
  const [editing, setEditing] = useState(false)
  const { place, text } = props.comment
  if (editing)
    return (
      <CommentComposer
        place={place}
        initial={text}
        onCancel={() => setEditing(false)}
        onDone={(next) => {
          props.onChange(next)
          setEditing(false)
        }}
      />
    )
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
            onClick={() => setEditing(true)}
          />
          <IconButton size="sm" icon={Trash2} label="Delete comment" onClick={props.onRemove} />
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

/** Where a remark is written. Cmd+Enter adds it to the review, Escape leaves it. */
export function CommentComposer(props: {
  place: CommentPlace
  initial?: string
  onDone: (text: string) => void
  onCancel: () => void
}) {
  const [text, setText] = useState(props.initial ?? '')
  const field = useRef<HTMLTextAreaElement>(null)
  useEffect(() => {
    // the row it stands in is only now in the page
    const frame = requestAnimationFrame(() => field.current?.focus({ preventScroll: true }))
    return () => cancelAnimationFrame(frame)
  }, [])
  const done = () => text.trim() !== '' && props.onDone(text.trim())
  const label =
    placeLabel(props.place) ?? (props.place.kind === 'section' ? props.place.section : '')
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
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          event.stopPropagation() // Cmd+Enter here is about this remark, not about the verdict
          if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) done()
          else if (event.key === 'Escape') props.onCancel()
        }}
        className="min-h-14"
      />
      <div className="flex items-center gap-2">
        <span className="flex-1 text-12 text-fg-3">{label}</span>
        <Button size="sm" tone="ghost" onClick={props.onCancel}>
          Cancel
        </Button>
        <Button size="sm" tone="primary" type="submit" aria-disabled={text.trim() === ''}>
          {props.initial === undefined ? 'Add comment' : 'Save'}
        </Button>
      </div>
    </form>
  )
}

import { useState } from 'react'
import { copy, toast } from '../../app/toasts.ts'
import { Button } from '../../components/button.tsx'
import { Textarea } from '../../components/field.tsx'
import { useConventionsDraft } from './conventions-draft.ts'

/** What agents are told, as Markdown; stored when it is left. Escape brings back what was there. `of` is whose they are. */
export function ConventionsInput(props: {
  of: string
  label: string
  value: string
  onSave: (value: string) => void
}) {
  const { value, onSave } = props
  const [focused, setFocused] = useState(false)
  const [text, setText] = useConventionsDraft(props.of, value, (lost) =>
    toast('The conventions were changed elsewhere meanwhile', {
      tone: 'danger',
      detail: `What you wrote is not stored: “${lost.length > 160 ? `${lost.slice(0, 160)}…` : lost}”`,
      action: { label: 'Copy it', run: () => void copy(lost, 'Copied') },
    }),
  )
  const save = () => {
    if (text.trim() !== value) onSave(text.trim())
    else setText(value)
  }
  return (
    <>
      <Textarea
        aria-label={props.label}
        rows={2}
        maxLength={20_000}
        placeholder="- Use British English in texts"
        value={text}
        onChange={(event) => setText(event.target.value)}
        onFocus={() => setFocused(true)}
        onBlur={() => {
          setFocused(false)
          save()
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Escape' || text === value) return
          event.stopPropagation()
          setText(value)
          toast('What was stored is back', { action: { label: 'Undo', run: () => setText(text) } })
        }}
        className="max-h-72 min-h-14 text-12"
      />
      {text !== value && !focused && (
        <p role="status" className="flex items-center gap-2 text-12 text-warn">
          Not stored yet.
          <Button size="sm" onClick={save}>
            Store it
          </Button>
        </p>
      )}
    </>
  )
}

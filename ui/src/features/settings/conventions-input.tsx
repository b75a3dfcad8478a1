import { copy, toast } from '../../app/toasts.ts'
import { Textarea } from '../../components/field.tsx'
import { useDraft } from '../../lib/use-draft.ts'

/** What agents are told, as Markdown; stored when it is left. Escape brings back what was there. */
export function ConventionsInput(props: {
  label: string
  value: string
  onSave: (value: string) => void
}) {
  const { value, onSave } = props
  const [text, setText] = useDraft(value, (lost) =>
    toast('The conventions were changed elsewhere meanwhile', {
      tone: 'danger',
      detail: `What you wrote is not stored: “${lost.length > 160 ? `${lost.slice(0, 160)}…` : lost}”`,
      action: { label: 'Copy it', run: () => void copy(lost, 'Copied') },
    }),
  )
  return (
    <Textarea
      aria-label={props.label}
      rows={2}
      maxLength={20_000}
      placeholder="- Use British English in texts"
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={() => {
        if (text.trim() !== value) onSave(text.trim())
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape' || text === value) return
        event.stopPropagation()
        setText(value)
      }}
      className="max-h-72 min-h-14 text-12"
    />
  )
}

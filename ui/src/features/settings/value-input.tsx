import { Input } from '../../components/field.tsx'
import { cn } from '../../lib/cn.ts'
import { useDraft } from '../../lib/use-draft.ts'

/** A text that is stored when it is left or Enter is pressed; Escape brings back what was there. */
export function ValueInput(props: {
  id?: string
  label?: string
  /** Undefined until it is read: what is typed before would mix with it. */
  value: string | undefined
  onSave: (value: string) => void
  invalid?: boolean
  placeholder?: string
  kind?: 'text' | 'number'
  className?: string
}) {
  const { value = '', onSave } = props
  const [text, setText] = useDraft(value)
  const save = () => {
    if (text.trim() !== value) onSave(text.trim())
  }
  return (
    <Input
      id={props.id}
      aria-label={props.label}
      aria-invalid={props.invalid || undefined}
      inputMode={props.kind === 'number' ? 'numeric' : undefined}
      dir={props.kind === 'number' ? undefined : 'auto'}
      spellCheck={false}
      autoComplete="off"
      placeholder={props.placeholder}
      disabled={props.value === undefined}
      value={text}
      onChange={(event) => setText(event.target.value)}
      onBlur={save}
      onKeyDown={(event) => {
        if (event.key === 'Enter') save()
        else if (event.key === 'Escape' && text !== value) {
          event.stopPropagation()
          setText(value)
        }
      }}
      className={cn('h-7', props.kind === 'number' && 'figure w-24 text-right', props.className)}
    />
  )
}

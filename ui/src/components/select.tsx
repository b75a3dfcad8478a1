import { Check, ChevronsUpDown } from 'lucide-react'
import { Popover, Select as Radix } from 'radix-ui'
import { type KeyboardEvent, useId, useMemo, useState } from 'react'
import { cn } from '../lib/cn.ts'

export interface Option {
  value: string
  label: string
  /** Beside the label, quieter. */
  detail?: string
}

interface SelectProps {
  value: string | undefined
  onChange: (value: string) => void
  options: readonly Option[]
  /** Its name for those who do not see it. */
  label: string
  placeholder?: string
  /** Of the Field around it. */
  id?: string
  className?: string
}

const TRIGGER =
  'inline-flex h-7 max-w-full items-center gap-1.5 rounded-md border border-line-strong bg-raised px-2 text-13 text-fg shadow-raised outline-none hover:bg-hover data-[placeholder]:text-fg-3 touch:h-10'
const LIST = 'animate-in z-50 overflow-hidden rounded-lg bg-raised p-1 shadow-overlay'
const ITEM =
  'flex h-8 cursor-default items-center gap-2 rounded-md px-2 text-13 outline-none select-none data-[highlighted]:bg-hover touch:h-10'

/** While the list is closed letters are the page's: one that leads elsewhere must not choose somebody on the way. */
function leaveLetters(event: KeyboardEvent): void {
  // to Radix alone, which chooses by them; the page's keys ask the browser's own event
  if (event.key.length === 1 && event.key !== ' ') event.defaultPrevented = true
}

/** One of a few. For many, or to search, use Combobox. */
export function Select({ value, onChange, options, label, ...props }: SelectProps) {
  return (
    // '' shows the placeholder; without a value Radix would keep what was chosen last
    <Radix.Root value={value ?? ''} onValueChange={onChange}>
      <Radix.Trigger
        id={props.id}
        aria-label={label}
        className={cn(TRIGGER, props.className)}
        onKeyDown={leaveLetters}
      >
        <span className="truncate">
          <Radix.Value placeholder={props.placeholder ?? label} />
        </span>
        <ChevronsUpDown size={12} className="ml-auto shrink-0 text-fg-3" aria-hidden="true" />
      </Radix.Trigger>
      <Radix.Portal>
        <Radix.Content position="popper" sideOffset={4} className={LIST}>
          <Radix.Viewport className="max-h-72 min-w-(--radix-select-trigger-width)">
            {options.map((option) => (
              <Radix.Item key={option.value} value={option.value} className={ITEM}>
                <Radix.ItemText>{option.label}</Radix.ItemText>
                {option.detail && <span className="text-12 text-fg-3">{option.detail}</span>}
                <Radix.ItemIndicator className="ml-auto">
                  <Check size={14} className="text-accent-fg" aria-hidden="true" />
                </Radix.ItemIndicator>
              </Radix.Item>
            ))}
          </Radix.Viewport>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  )
}

/** One of many, found by typing. `onCreate` offers what was typed when nothing has that name. */
export function Combobox(
  props: SelectProps & { onCreate?: (text: string) => void; createLabel?: string },
) {
  const { value, onChange, options, label } = props
  const [open, setOpen] = useState(false)
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const listId = useId()
  const found = useMemo(() => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean)
    const matches = (option: Option) =>
      words.every((word) => `${option.label} ${option.detail ?? ''}`.toLowerCase().includes(word))
    return options.filter(matches)
  }, [options, text])
  const offered = props.onCreate !== undefined && text.trim() !== '' && found.length === 0
  const close = () => {
    setOpen(false)
    setText('')
    setAt(0)
  }
  const choose = (option: Option | undefined) => {
    if (option) onChange(option.value)
    else if (offered) props.onCreate?.(text.trim())
    close()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return // Enter ends the word that is composed
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step !== undefined) setAt((now) => Math.min(found.length - 1, Math.max(0, now + step)))
    else if (event.key === 'Enter' && !event.metaKey && !event.ctrlKey) choose(found[at])
    else return
    event.preventDefault()
  }
  const chosen = options.find((option) => option.value === value)
  return (
    <Popover.Root open={open} onOpenChange={(next) => (next ? setOpen(true) : close())}>
      <Popover.Trigger
        id={props.id}
        aria-label={`${label}: ${chosen?.label ?? 'none'}`}
        className={cn(TRIGGER, props.className)}
      >
        <span className={cn('truncate', !chosen && 'text-fg-3')}>
          {chosen?.label ?? value ?? props.placeholder ?? label}
        </span>
        <ChevronsUpDown size={12} className="ml-auto shrink-0 text-fg-3" aria-hidden="true" />
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content align="start" sideOffset={4} className={cn(LIST, 'w-72')}>
          <input
            role="combobox"
            aria-expanded="true"
            aria-controls={listId}
            aria-activedescendant={found[at] ? `${listId}-${at}` : undefined}
            aria-label={label}
            placeholder={`Find ${label.toLowerCase()}`}
            value={text}
            onChange={(event) => {
              setText(event.target.value)
              setAt(0)
            }}
            onKeyDown={onKeyDown}
            className="h-8 w-full bg-transparent px-2 text-13 outline-none touch:text-16"
          />
          <div id={listId} role="listbox" aria-label={label} className="max-h-64 overflow-y-auto">
            {found.map((option, index) => (
              <div
                key={option.value}
                id={`${listId}-${index}`}
                role="option"
                tabIndex={-1}
                aria-selected={option.value === value}
                data-highlighted={index === at ? '' : undefined}
                className={ITEM}
                onPointerMove={() => setAt(index)}
                onClick={() => choose(option)}
                onKeyDown={onKeyDown}
              >
                <span className="shrink-0 truncate">{option.label}</span>
                <span className="min-w-0 flex-1 truncate text-12 text-fg-3">{option.detail}</span>
                {option.value === value && (
                  <Check size={14} className="text-accent-fg" aria-hidden="true" />
                )}
              </div>
            ))}
            {offered && (
              <button
                type="button"
                className={cn(ITEM, 'w-full bg-hover')}
                onClick={() => choose(undefined)}
              >
                {props.createLabel ?? 'Use'} “{text.trim()}”
              </button>
            )}
            {found.length === 0 && !offered && (
              <p className="px-2 py-1.5 text-12 text-fg-3">Nothing has that name.</p>
            )}
          </div>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}

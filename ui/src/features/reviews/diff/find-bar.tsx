import { ChevronDown, ChevronUp, X } from 'lucide-react'
import { useEffect, useRef } from 'react'
import { IconButton } from '../../../components/button.tsx'
import { HIT_LIMIT } from './find-in-diff.ts'

/** Searches the diff; the browser's own search would only see what is drawn. */
export function FindBar(props: {
  text: string
  count: number
  /** From 0. */
  at: number
  onText: (text: string) => void
  onStep: (step: 1 | -1) => void
  onClose: () => void
}) {
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => input.current?.select(), [])
  const { text, count, at } = props
  return (
    <search className="absolute top-2 right-4 z-20 flex h-9 items-center gap-0.5 rounded-lg bg-raised pr-1 pl-2 shadow-overlay max-md:inset-x-2">
      <input
        ref={input}
        type="text"
        // biome-ignore lint/a11y/noAutofocus: it is opened to be typed in
        autoFocus
        aria-label="Find in diff"
        placeholder="Find in diff"
        value={text}
        onChange={(event) => props.onText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter') props.onStep(event.shiftKey ? -1 : 1)
          else if (event.key === 'Escape') props.onClose()
          else return
          event.preventDefault()
          event.stopPropagation()
        }}
        className="w-44 min-w-0 flex-1 bg-transparent px-1 text-13 outline-none touch:text-16"
      />
      <span role="status" className="px-2 text-12 whitespace-nowrap text-fg-3">
        {text !== '' &&
          (count === 0 ? 'None' : `${at + 1} of ${count}${count === HIT_LIMIT ? '+' : ''}`)}
      </span>
      <IconButton
        size="sm"
        icon={ChevronUp}
        label="Previous match"
        keys="Shift+Enter"
        onClick={() => props.onStep(-1)}
      />
      <IconButton
        size="sm"
        icon={ChevronDown}
        label="Next match"
        keys="Enter"
        onClick={() => props.onStep(1)}
      />
      <IconButton size="sm" icon={X} label="Close search" keys="Escape" onClick={props.onClose} />
    </search>
  )
}

import { useState } from 'react'

/**
 * What a person types over `value`, and how to change it; it becomes `value` whenever that changes. Within the same render: an effect
 * would leave a moment in which the field shows the old text, and what is typed then mixes with the new one.
 */
export function useDraft(value: string): [string, (text: string) => void] {
  const [seen, setSeen] = useState(value)
  const [text, setText] = useState(value)
  if (seen !== value) {
    setSeen(value)
    setText(value)
  }
  return [seen === value ? text : value, setText]
}

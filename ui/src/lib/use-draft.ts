import { useEffect, useState } from 'react'

/**
 * What a person types over `value`, and how to change it; it becomes `value` whenever that changes. Within the same render: an effect
 * would leave a moment in which the field shows the old text, and what is typed then mixes with the new one. `onLost` gets what was
 * typed when `value` became something else meanwhile.
 */
export function useDraft(
  value: string,
  onLost?: (text: string) => void,
): [string, (text: string) => void] {
  const [seen, setSeen] = useState(value)
  const [text, setText] = useState(value)
  const [lost, setLost] = useState<string>()
  if (seen !== value) {
    setSeen(value)
    setText(value)
    if (text !== seen && text.trim() !== value) setLost(text)
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each text
  useEffect(() => {
    if (lost === undefined) return
    setLost(undefined)
    onLost?.(lost)
  }, [lost])
  return [seen === value ? text : value, setText]
}

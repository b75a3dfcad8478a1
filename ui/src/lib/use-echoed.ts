import { useState } from 'react'

interface Written {
  text: string
  seen: string
  /** What was told and has not come back yet. */
  sent: readonly string[]
}

/** What stands in the field once `value` is known: its own words that come back late are no news, others are. */
export function taken({ text, sent }: Written, value: string): Written {
  const at = sent.indexOf(value)
  const isOwn = at !== -1
  return { text: isOwn ? text : value, seen: value, sent: isOwn ? sent.slice(at + 1) : [] }
}

/**
 * What is typed into a field whose text is kept where a change is known a moment later, such as the address. A field that showed
 * only what is known would put the caret at its end and take a word apart that is being composed.
 */
export function useEchoed(
  value: string,
  tell: (text: string) => void,
): [string, (text: string) => void] {
  const [written, setWritten] = useState<Written>({ text: value, seen: value, sent: [] })
  const now = written.seen === value ? written : taken(written, value)
  if (now !== written) setWritten(now)
  return [
    now.text,
    (text) => {
      setWritten((before) => ({ ...before, text, sent: [...before.sent, text] }))
      tell(text)
    },
  ]
}

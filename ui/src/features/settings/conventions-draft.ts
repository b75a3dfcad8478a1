import { useEffect } from 'react'
import { createDrafts } from '../../lib/kept-drafts.ts'

interface Draft {
  text: string
  /** What was stored when it was begun. */
  over: string
}

const { useDraftOf, keep } = createDrafts<Draft>('dispatch.conventions')

/**
 * What a person types over `value`, kept in this browser until it is stored: a page is loaded again or left by its back button in
 * passing. It becomes `value` whenever that changes; `onLost` gets what was typed when that is something else.
 */
export function useConventionsDraft(
  of: string,
  value: string,
  onLost: (text: string) => void,
): [string, (text: string) => void] {
  const draft = useDraftOf(of)
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each text that is lost
  useEffect(() => {
    if (!draft || draft.over === value) return
    keep(of, undefined)
    if (draft.text.trim() !== value) onLost(draft.text)
  }, [draft, value])
  const text = draft?.over === value ? draft.text : value
  return [text, (next) => keep(of, next === value ? undefined : { text: next, over: value })]
}

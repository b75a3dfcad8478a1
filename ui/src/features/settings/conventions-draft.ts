import { useEffect } from 'react'
import { createKept } from '../../lib/kept-store.ts'

interface Draft {
  text: string
  /** What was stored when it was begun. */
  over: string
}

/** Of so many the text is kept, the latest. */
const KEPT = 40

const useDrafts = createKept('dispatch.conventions', () => ({
  drafts: {} as Record<string, Draft>,
}))

function keep(of: string, draft: Draft | undefined): void {
  useDrafts.setState(({ drafts: { [of]: _, ...others } }) => {
    const kept = Object.entries(others).slice(1 - KEPT)
    return { drafts: Object.fromEntries(draft ? [...kept, [of, draft]] : kept) }
  })
}

/**
 * What a person types over `value`, kept in this browser until it is stored: a page is loaded again or left by its back button in
 * passing. It becomes `value` whenever that changes; `onLost` gets what was typed when that is something else.
 */
export function useConventionsDraft(
  of: string,
  value: string,
  onLost: (text: string) => void,
): [string, (text: string) => void] {
  const draft = useDrafts(({ drafts }) => drafts[of])
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each text that is lost
  useEffect(() => {
    if (!draft || draft.over === value) return
    keep(of, undefined)
    if (draft.text.trim() !== value) onLost(draft.text)
  }, [draft, value])
  const text = draft?.over === value ? draft.text : value
  return [text, (next) => keep(of, next === value ? undefined : { text: next, over: value })]
}

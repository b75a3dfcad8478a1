import { createKept } from './kept-store.ts'

/** Of so many a draft is kept, the latest. */
const KEPT = 40

/** What a person has begun to write, each by what it is for; kept in this browser under `name`. */
export function createDrafts<T>(name: string) {
  const useDrafts = createKept(name, () => ({ drafts: {} as Record<string, T> }))
  return {
    useDraftOf: (of: string): T | undefined => useDrafts(({ drafts }) => drafts[of]),
    keep(of: string, draft: T | undefined): void {
      useDrafts.setState(({ drafts: { [of]: _, ...others } }) => {
        const kept = Object.entries(others).slice(1 - KEPT)
        return { drafts: Object.fromEntries(draft === undefined ? kept : [...kept, [of, draft]]) }
      })
    },
  }
}

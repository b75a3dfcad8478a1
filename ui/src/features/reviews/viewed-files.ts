import { createKept } from '../../lib/kept-store.ts'

/** By subject (a task, or the merge of a goal) and path: the id of the content that was looked at. */
type Viewed = Record<string, Record<string, string>>
const KEPT = 40
/** In place of an id when the file was deleted. */
const GONE = 'gone'

const useStore = createKept('dispatch.viewed-files', () => ({ viewed: {} as Viewed }))

interface File {
  path: string
  blob: string | null
}

/**
 * Which files were marked as viewed. A mark holds for the content that was seen: when the file changes it is gone, and a file that
 * the next attempt leaves alone keeps it.
 */
export function useViewedFiles(subject: string): {
  isViewed: (file: File) => boolean
  mark: (file: File, viewed: boolean) => void
} {
  const marks = useStore(({ viewed }) => viewed[subject])
  return {
    isViewed: ({ path, blob }) => marks?.[path] === (blob ?? GONE),
    mark: ({ path, blob }, viewed) =>
      useStore.setState(({ viewed: all }) => {
        const { [subject]: mine, ...others } = all
        const { [path]: _, ...rest } = mine ?? {}
        const next = viewed ? { ...rest, [path]: blob ?? GONE } : rest
        // the one just used is the newest
        const kept = Object.entries(others).slice(-KEPT)
        return { viewed: { ...Object.fromEntries(kept), [subject]: next } }
      }),
  }
}

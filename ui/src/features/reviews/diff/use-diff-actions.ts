import { useEffect, useMemo, useRef } from 'react'
import { type Action, useActions } from '../../../app/actions/registry.ts'

interface DiffActs {
  files: readonly { path: string; blob: string | null }[]
  current: string | undefined
  isViewed: (file: { path: string; blob: string | null }) => boolean
  open: (path: string) => void
  mark: (path: string | undefined) => void
  comment: () => void
  filter: () => void
  find: () => void
  split: () => void
}

const scope = 'Diff'

/** The keys of the diff: from file to file, viewed, comment, search. */
export function useDiffActions(acts: DiffActs): void {
  const now = useRef(acts)
  useEffect(() => {
    now.current = acts
  })
  useActions(
    useMemo((): Action[] => {
      const step = (by: 1 | -1, wanted: (file: DiffActs['files'][number]) => boolean) => () => {
        const { files, current, open } = now.current
        const at = files.findIndex(({ path }) => path === current)
        const ahead = by === 1 ? files.slice(at + 1) : files.slice(0, Math.max(0, at)).reverse()
        const next = ahead.find(wanted)
        if (next) open(next.path)
      }
      const any = () => true
      const unviewed = (file: DiffActs['files'][number]) => !now.current.isViewed(file)
      const only = { scope, onlyKeys: true }
      return [
        { ...only, id: 'diff.next', title: 'Next file', keys: 'j', run: step(1, any) },
        { ...only, id: 'diff.previous', title: 'Previous file', keys: 'k', run: step(-1, any) },
        {
          ...only,
          id: 'diff.next-unviewed',
          title: 'Next unviewed file',
          keys: 'n',
          run: step(1, unviewed),
        },
        {
          ...only,
          id: 'diff.previous-unviewed',
          title: 'Previous unviewed file',
          keys: 'Shift+N',
          run: step(-1, unviewed),
        },
        {
          id: 'diff.viewed',
          title: 'Mark file as viewed',
          scope,
          keys: 'v',
          run: () => now.current.mark(now.current.current),
        },
        {
          id: 'diff.comment',
          title: 'Comment on file or lines',
          scope,
          keys: 'c',
          run: () => now.current.comment(),
        },
        {
          id: 'diff.filter',
          title: 'Filter files',
          scope,
          keys: 't',
          run: () => now.current.filter(),
        },
        {
          id: 'diff.find',
          title: 'Find in diff',
          scope,
          keys: ['$mod+f', '/'],
          run: () => now.current.find(),
        },
        {
          id: 'diff.split',
          title: 'Toggle side by side',
          scope,
          keys: 's',
          run: () => now.current.split(),
        },
      ]
    }, []),
  )
}

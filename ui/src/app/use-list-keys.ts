import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { type Action, useActions } from './actions/registry.ts'

/** A focused link or button takes Enter itself, a button Space too. */
export const hasOwnKeys = (what = 'a, button'): boolean =>
  document.activeElement?.matches(what) ?? false

/**
 * j, k and arrows through a list, Enter to open. Rows carry `data-row={id}`. The selection survives changes of the list;
 * when its row is gone, it is on none.
 */
export function useListKeys(options: {
  scope: string
  ids: readonly string[]
  onOpen: (id: string) => void
}): {
  selected: string | undefined
  select: (id: string | undefined) => void
  listProps: { ref: React.RefObject<HTMLDivElement | null> }
} {
  const [selected, setSelected] = useState<string>()
  const ref = useRef<HTMLDivElement>(null)
  const now = useRef({ ...options, selected })
  now.current = { ...options, selected }
  // at once, because the next key may come before the next drawing
  const select = useCallback((id: string | undefined) => {
    now.current.selected = id
    setSelected(id)
  }, [])
  useEffect(() => {
    if (selected === undefined) return
    const row = ref.current?.querySelector(`[data-row="${CSS.escape(selected)}"]`)
    row?.scrollIntoView({ block: 'nearest' })
  }, [selected])
  const { scope } = options
  useActions(
    useMemo((): Action[] => {
      const move = (step: number) => () => {
        // what was clicked before is not what Enter is meant for any more
        if (hasOwnKeys()) (document.activeElement as HTMLElement).blur()
        const { ids, selected: at } = now.current
        const index = at === undefined ? -1 : ids.indexOf(at)
        const next = index === -1 && step < 0 ? ids.length - 1 : index + step
        select(ids[Math.min(ids.length - 1, Math.max(0, next))])
      }
      const open = () => {
        const { selected: at, ids, onOpen } = now.current
        if (at !== undefined && ids.includes(at)) onOpen(at)
      }
      const shared = { scope, onlyKeys: true }
      return [
        { ...shared, id: `${scope}.next`, title: 'Next', keys: ['j', 'ArrowDown'], run: move(1) },
        {
          ...shared,
          id: `${scope}.previous`,
          title: 'Previous',
          keys: ['k', 'ArrowUp'],
          run: move(-1),
        },
        {
          ...shared,
          id: `${scope}.open`,
          title: 'Open',
          keys: 'Enter',
          enabledWhen: () => now.current.selected !== undefined && !hasOwnKeys(),
          run: open,
        },
      ]
    }, [scope, select]),
  )
  return { selected, select, listProps: { ref } }
}

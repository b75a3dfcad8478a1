import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback } from 'react'

/** The Focus Panel: `panel` is the short id of what it shows, from the address. */
export function useFocusPanel(): {
  panel: string | undefined
  open: (shortId: string) => void
  close: () => void
} {
  const { panel } = useSearch({ strict: false })
  const navigate = useNavigate()
  const isOpen = panel !== undefined
  const show = useCallback(
    (next: string | undefined) =>
      void navigate({
        to: '.',
        search: (before) => ({ ...before, panel: next }) as never,
        replace: next === undefined || isOpen,
      }),
    [navigate, isOpen],
  )
  const close = useCallback(() => show(undefined), [show])
  return { panel, open: show, close }
}

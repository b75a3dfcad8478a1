import { useNavigate, useSearch } from '@tanstack/react-router'

/** The Focus Panel: `panel` is the short id of what it shows, from the address. */
export function useFocusPanel(): {
  panel: string | undefined
  open: (shortId: string) => void
  close: () => void
} {
  const { panel } = useSearch({ strict: false })
  const navigate = useNavigate()
  const show = (next: string | undefined) =>
    void navigate({
      to: '.',
      search: (before) => ({ ...before, panel: next }) as never,
      replace: next === undefined || panel !== undefined,
    })
  return { panel, open: show, close: () => show(undefined) }
}

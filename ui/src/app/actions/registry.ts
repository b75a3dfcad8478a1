import type { LucideIcon } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { create } from 'zustand'

/** One thing that a person can do. The palette, the `?` sheet and the keyboard all read this. */
export interface Action {
  /** Unique; a later action of the same id replaces the earlier one while it is there. */
  id: string
  /** Verb and noun, no article: "New goal", "Pause goal". */
  title: string
  /** Under which heading it stands: a view, or "Everywhere". */
  scope: string
  /** In tinykeys' words: `c`, `g g`, `$mod+k`, `Shift+?`. More than one way: the first is shown. */
  keys?: string | readonly string[]
  icon?: LucideIcon
  /** What it is about, beside the title: "G-12 Build auth". */
  subtitle?: string
  /** More words that find it. */
  keywords?: string
  /** Absent means always. */
  enabledWhen?: () => boolean
  /** Not in the palette: moving in a list, and the like. */
  onlyKeys?: boolean
  /** Also while a dialog is open. */
  inDialog?: boolean
  run: () => void
}

interface Registry {
  /** In the order of their registration; of two with the same keys the later one acts. */
  actions: readonly Action[]
}

export const useRegistry = create<Registry>()(() => ({ actions: [] }))

/** Registers actions until the returned function is called. */
export function registerActions(actions: readonly Action[]): () => void {
  useRegistry.setState((state) => ({ actions: [...state.actions, ...actions] }))
  return () =>
    useRegistry.setState((state) => ({
      actions: state.actions.filter((action) => !actions.includes(action)),
    }))
}

/** Actions of a view, for as long as it is shown. Keep the array stable with `useMemo`. */
export function useActions(actions: readonly Action[]): void {
  useEffect(() => registerActions(actions), [actions])
}

/** One action of a view. Its name and keys are those of the first drawing; what it does is that of the last. */
export function useAction(action: Action): void {
  const now = useRef(action)
  now.current = action
  const [registered] = useState((): readonly Action[] => [
    {
      ...action,
      enabledWhen: () => now.current.enabledWhen?.() ?? true,
      run: () => now.current.run(),
    },
  ])
  useActions(registered)
}

/** Those that can be done now; of the same id only the last. */
export function enabledActions(actions: readonly Action[]): Action[] {
  const byId = new Map(actions.map((action) => [action.id, action]))
  return [...byId.values()].filter((action) => action.enabledWhen?.() ?? true)
}

export const keysOf = ({ keys }: Action): readonly string[] =>
  keys === undefined ? [] : typeof keys === 'string' ? [keys] : keys

import { create, type StateCreator } from 'zustand'
import { persist } from 'zustand/middleware'

/**
 * A store that this browser keeps under `name`. All its windows have the same: each writes the whole of it, so what another
 * one wrote is taken over at once, or the next change here would undo it.
 */
export function createKept<T extends object>(name: string, initial: StateCreator<T>) {
  const store = create<T>()(persist(initial, { name }))
  window.addEventListener('storage', ({ key }) => {
    if (key === name) void store.persist.rehydrate()
  })
  return store
}

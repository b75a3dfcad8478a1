import { useSyncExternalStore } from 'react'

const listeners = new Set<() => void>()
let now = Date.now()
/** Until when what is shown is known, where that is not now. */
let known: number | undefined
let timer: ReturnType<typeof setInterval> | undefined

function tick(): void {
  now = Date.now()
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  if (timer === undefined) {
    now = Date.now()
    timer = setInterval(tick, 1000)
  }
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** The time, once a second, from the one clock that every live figure of the page shares. ms since 1970. */
export const useNow = (): number => useSyncExternalStore(subscribe, () => now)

/** What is shown is of `at` and gets no older; of now again with undefined. */
export function holdClock(at: number | undefined): void {
  known = at
}

/** The time up to which a state that is shown has lasted for all that is known: it stands while nothing is heard. */
export const useKnownTime = (): number => useSyncExternalStore(subscribe, () => known ?? now)

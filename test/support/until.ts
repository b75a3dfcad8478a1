import { setTimeout as delay } from 'node:timers/promises'

/**
 * Looks until `look` gives something other than undefined or false, and returns it. For what no event can be waited for, because the
 * servers that would tell of it are being killed. Throws after `ms` with what was waited for.
 */
export async function until<T>(
  look: () => Promise<T | undefined | false> | T | undefined | false,
  { ms, what, everyMs = 100 }: { ms: number; what: string; everyMs?: number },
): Promise<T> {
  const deadline = Date.now() + ms
  for (;;) {
    const found = await look()
    if (found !== undefined && found !== false) return found
    if (Date.now() > deadline) throw new Error(`waited ${ms / 1000} s in vain for ${what}`)
    await delay(everyMs)
  }
}

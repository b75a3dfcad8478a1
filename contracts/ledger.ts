import type { Usage } from './agent.ts'

/** What the ledger can be grouped by. Zod-free: CLI and UI offer these. */
export const LEDGER_GROUPS = [
  'goal',
  'task',
  'run',
  'project',
  'adapter',
  'model',
  'stage',
  'day',
] as const
export type LedgerGroup = (typeof LEDGER_GROUPS)[number]

/** What the ledger's rows can be ordered by, the most first; days are always the newest first. */
export const LEDGER_ORDERS = ['tokens', 'cost'] as const
export type LedgerOrder = (typeof LEDGER_ORDERS)[number]

/** Below this, work pays for the same input again and again. */
export const LOW_CACHE_RATIO = 0.3
/** Less input than this is a few short requests, which no provider caches. */
const CACHEABLE_TOKENS = 10_000

type Input = Pick<Usage, 'input' | 'cacheRead' | 'cacheWrite'>

/** Input from the provider's cache, of all input: 0 to 1; null where there was none. */
export function cacheHitRatio({ input, cacheRead, cacheWrite }: Input): number | null {
  const all = input + cacheRead + cacheWrite
  return all === 0 ? null : cacheRead / all
}

/** True when there was input enough to be cached, and less than 30 % of it was. */
export function isLowCache(usage: Input): boolean {
  const ratio = cacheHitRatio(usage)
  const all = usage.input + usage.cacheRead + usage.cacheWrite
  return ratio !== null && all >= CACHEABLE_TOKENS && ratio < LOW_CACHE_RATIO
}

/**
 * The zone's first name, which Postgres knows too, of a name such as `Europe/Berlin`, `AET` or `UTC`; undefined for anything else:
 * offsets such as `+01:00` mean something else to Postgres, and so do short names such as `IST`.
 */
export function timeZoneOf(name: string): string | undefined {
  if (!/^[A-Za-z][A-Za-z0-9_+\-/]*$/.test(name)) return undefined
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
  } catch {
    return undefined // it says so by throwing
  }
}

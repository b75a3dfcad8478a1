import type { LedgerRow, LedgerUsage } from '../../../../contracts/schemas.ts'

/** One bar of the chart. Tokens by kind; dollars by who says so. */
export interface DayBar {
  /** `2026-01-31`. */
  day: string
  output: number
  input: number
  cacheWrite: number
  cacheRead: number
  told: number
  estimated: number
  usage: LedgerUsage | undefined
}

const DAY_MS = 86_400_000
const MAX_DAYS = 200

/** A bar for every day from the first to `today`, also for those without a run. `days`: how many; 0 from the first with one. */
export function dayBars(rows: readonly LedgerRow[], days: number, today: string): DayBar[] {
  const byDay = new Map(rows.map(({ key, usage }) => [key, usage]))
  const first = [...byDay.keys()].sort()[0] ?? today
  const back = Math.round((Date.parse(today) - Date.parse(first)) / DAY_MS) + 1
  const count = Math.min(MAX_DAYS, Math.max(7, days === 0 ? back : days))
  return Array.from({ length: count }, (_, index) => {
    const at = Date.parse(today) - (count - 1 - index) * DAY_MS
    const day = new Date(at).toISOString().slice(0, 10)
    return barOf(day, byDay.get(day))
  })
}

const barOf = (day: string, usage: LedgerUsage | undefined): DayBar => ({
  day,
  output: usage?.output ?? 0,
  input: usage?.input ?? 0,
  cacheWrite: usage?.cacheWrite ?? 0,
  cacheRead: usage?.cacheRead ?? 0,
  told: (usage?.knownUsd ?? 0) - (usage?.estimatedUsd ?? 0),
  estimated: usage?.estimatedUsd ?? 0,
  usage,
})

/** From 0 to at least `most` in steps of 1, 2 or 5 and zeros, at most five of them; 0 and 1 where there is nothing. */
export function roundTicks(most: number): number[] {
  if (most <= 0) return [0, 1]
  const rough = most / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5].find((times) => times * power >= rough) ?? 10)
  const count = Math.ceil(most / step)
  return Array.from({ length: count + 1 }, (_, n) => Number((n * step).toPrecision(12)))
}

/** Dollars beside an axis with these ticks: so many decimals that no two of them are the same. */
export const axisCost = (usd: number, [, step = 1]: readonly number[]): string =>
  `$${usd.toFixed(step < 0.01 ? -Math.floor(Math.log10(step)) : 2)}`

/** The local day of a moment, as the ledger writes it. */
export const dayOf = (at: Date): string =>
  [at.getFullYear(), at.getMonth() + 1, at.getDate()]
    .map((part) => String(part).padStart(2, '0'))
    .join('-')

/** Midnight so many days ago, so that the day of now is the last of them. */
export const daysAgo = (days: number, now: Date): Date =>
  new Date(now.getFullYear(), now.getMonth(), now.getDate() - days + 1)

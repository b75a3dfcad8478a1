/** Numbers and times as people read them. Times are ms since 1970 or ISO strings. */

/** US dollars; null means that nobody knows, which is not the same as nothing. `exact` shows four decimals. */
export function formatCost(usd: number | null, exact = false): string {
  if (usd === null) return 'unknown'
  if (exact && usd > 0) return `$${usd.toFixed(4)}`
  if (usd > 0 && usd < 0.01) return '<$0.01'
  return `$${usd.toFixed(2)}`
}

/** A sum of costs: `~` where it holds an estimate, `+` where it leaves out what nobody knows. */
export function formatUsageCost(
  usage: { costUsd: number | null; knownUsd: number; estimatedUsd: number },
  exact = false,
): string {
  if (usage.costUsd === null && usage.knownUsd === 0) return 'cost unknown'
  const about = usage.estimatedUsd > 0 ? '~' : ''
  return `${about}${formatCost(usage.knownUsd, exact)}${usage.costUsd === null ? '+' : ''}`
}

/** `just now`, `4m ago`, `3h ago`, `2d ago`, then the date. */
export function formatAgo(at: number, now: number): string {
  const seconds = Math.floor((now - at) / 1000)
  if (seconds < 45) return 'just now'
  const minutes = Math.max(1, Math.round(seconds / 60))
  if (minutes < 60) return `${minutes}m ago`
  const hours = Math.round(minutes / 60)
  if (hours < 24) return `${hours}h ago`
  const days = Math.round(hours / 24)
  return days < 14 ? `${days}d ago` : day.format(at)
}

const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short', year: 'numeric' })
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const dayAndClock = new Intl.DateTimeFormat(undefined, {
  ...{ day: 'numeric', month: 'short' },
  ...{ hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' },
})
const clock = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium', hourCycle: 'h23' })

/** Date and time to the second, in the reader's zone. */
export const formatFull = (at: number | string): string => full.format(new Date(at))

/** `14:03:22`, of another day with its date: what waits for weeks is told by the second too. */
export function formatClock(at: number | string, now = Date.now()): string {
  const [then, today] = [new Date(at), new Date(now)]
  if (then.toDateString() === today.toDateString()) return clock.format(then)
  return (then.getFullYear() === today.getFullYear() ? dayAndClock : full).format(then)
}

const list = new Intl.ListFormat('en')
/** `a`, `a and b`, `a, b, and c`. */
export const listed = (names: readonly string[]): string => list.format(names)

/** `1 task`, `3 tasks`. */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`

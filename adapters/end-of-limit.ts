/** "reset after 5h10m3s", "Suggested retry after 3600s", "try again in 3 days 4 hours", "retry-after: 60", and the Gemini API's own field. */
const BEGINS = /(?:reset|retry|try again)[ -](?:after|in):? |"retryDelay":\s*"/i
const PART = /[ ,]*(\d+(?:\.\d+)?) ?(ms|[dhms])?[a-z]*/iy
const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600, d: 86_400 }

/** ISO time at which a provider's limit is over, where an agent's words tell how long it lasts; a bare number is seconds. */
export function endOfLimit(said: string): string | undefined {
  const begin = BEGINS.exec(said)
  if (!begin) return undefined
  let total = 0
  PART.lastIndex = begin.index + begin[0].length
  for (let part = PART.exec(said); part; part = PART.exec(said))
    total += Number(part[1]) * (SECONDS[part[2]?.toLowerCase() ?? 's'] ?? 0)
  return total > 0 ? new Date(Date.now() + total * 1000).toISOString() : undefined
}

/** "reset after 5h10m3s", "Suggested retry after 3600s", "try again in 3 days 4 hours", "retry-after: 60", and the Gemini API's own field. */
const BEGINS = /(?:reset|retry|try again)[ -](?:after|in):? |"retryDelay":\s*"/i
const PART = /[ ,]*(\d+(?:\.\d+)?) ?([a-z]*)/iy
const UNITS: readonly (readonly [RegExp, number])[] = [
  [/^ms$|^milli/, 0.001],
  [/^$|^s$|^sec/, 1],
  [/^m$|^min/, 60],
  [/^h$|^hour|^hr/, 3600],
  [/^d$|^day/, 86_400],
  [/^w$|^week/, 7 * 86_400],
  [/^month/, 30 * 86_400],
]
/** What is renewed weekly is renewed by then. Whoever names more is asked again: words are easily misread, and a goal must not sleep for months. */
const LONGEST_SECONDS = 8 * 86_400
/** No pause has so many seconds: it is a time since 1970, in seconds or milliseconds. */
const [EPOCH_SECONDS, EPOCH_MS] = [1e9, 1e12]

/** ISO time at which a provider's limit is over, where an agent's words tell how long it lasts; a bare number is seconds. */
export function endOfLimit(said: string): string | undefined {
  const begin = BEGINS.exec(said)
  if (!begin) return undefined
  let total = 0
  PART.lastIndex = begin.index + begin[0].length
  for (let part = PART.exec(said); part; part = PART.exec(said))
    total += secondsOf(Number(part[1]), part[2]?.toLowerCase() ?? '')
  if (!(total > 0)) return undefined
  return endAt(Date.now() / 1000 + total)
}

/** ISO time of what an agent tells as seconds since 1970, milliseconds taken too; never later than anybody would wait for. */
export function endAt(epoch: number): string {
  const latest = Date.now() + LONGEST_SECONDS * 1000
  return new Date(Math.min(msOf(epoch), latest)).toISOString()
}

const msOf = (epoch: number) => (epoch >= EPOCH_MS ? epoch : epoch * 1000)

/** Of a unit that nobody knows: 0. */
function secondsOf(count: number, unit: string): number {
  if (unit === '' && count >= EPOCH_SECONDS) return (msOf(count) - Date.now()) / 1000
  const known = UNITS.find(([name]) => name.test(unit))
  return known === undefined ? 0 : count * known[1]
}

/** A person's request is delivered twice within seconds, if at all; so many others never come between. */
const KEPT = 100

/** Adds a key to what was seen lately, and lets go of the oldest. False when it was among them. */
export function remember(seen: Set<string>, key: string): boolean {
  if (seen.has(key)) return false
  seen.add(key)
  const [oldest] = seen
  if (seen.size > KEPT && oldest !== undefined) seen.delete(oldest)
  return true
}

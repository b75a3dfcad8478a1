const UNSTORABLE = /(?<!\\)((?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g

/**
 * The same value with U+FFFD in place of what Postgres' jsonb refuses: NUL, and half of a surrogate pair, which is what
 * text cut between two UTF-16 units ends in (https://www.postgresql.org/docs/current/datatype-json.html). For
 * everything that agents or programs wrote, after the last cut. JSON values only.
 */
export function storable<T>(value: T): T {
  // JSON.stringify escapes these two and no whole pair
  const json = JSON.stringify(value)
  if (json === undefined) return value
  const clean = json.replace(UNSTORABLE, '$1\\ufffd')
  return clean === json ? value : JSON.parse(clean)
}

/**
 * The ETag of what was read: with it in `If-Match` a change says what it was made from. The same for the same JSON, here
 * and in a page, so it is no cryptographic hash (cyrb53): whoever makes two alike only loses their own text.
 */
export function entityTag(value: unknown): string {
  let [high, low] = [0xdeadbeef, 0x41c6ce57]
  for (const character of JSON.stringify(value)) {
    const code = character.codePointAt(0) ?? 0
    high = Math.imul(high ^ code, 2654435761)
    low = Math.imul(low ^ code, 1597334677)
  }
  const mixed = [
    Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909),
    Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909),
  ]
  return `"${mixed.map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('')}"`
}

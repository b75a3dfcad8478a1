/** Texts that have at most `most` characters together. The long ones are cut, in their middle and to one length, so that none is left out. */
export function within(texts: readonly string[], most: number): string[] {
  const lengths = texts.map(({ length }) => length).sort((a, b) => a - b)
  let left = most
  let share = most
  for (const [n, length] of lengths.entries()) {
    share = Math.floor(left / (lengths.length - n))
    if (length > share) break
    left -= length
  }
  return texts.map((text) => (text.length <= share ? text : shortened(text, share)))
}

const GAP = ' … '

/** Its beginning says what it is about, and its end what came of it. */
function shortened(text: string, length: number): string {
  const half = Math.floor((length - GAP.length) / 2)
  return half > 0 ? text.slice(0, half) + GAP + text.slice(-half) : text.slice(0, length)
}

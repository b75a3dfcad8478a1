/** Characters that make a reviewer see something else than what is there (CVE-2021-42574 and relatives). */
const INVISIBLE: readonly [RegExp, string][] = [
  [/[\u202a-\u202e\u2066-\u2069\u061c\u200e\u200f]/u, 'text direction'],
  [/[\u200b-\u200d\u2060-\u2064\ufeff\u00ad\u180e]/u, 'zero width'],
  [/[\u{e0000}-\u{e007f}]/u, 'hidden tag'],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what must be found
  [/[\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x9f]/u, 'control'],
]

const codePoint = (character: string) =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

/** What is wrong with a piece of text, such as `U+202E (text direction)`; empty when nothing is. */
export function suspiciousCharacters(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the fast way out for ordinary text
  if (/^[\x09\x0a\x0c\x0d\x20-\x7e]*$/.test(text)) return []
  return INVISIBLE.flatMap(([pattern, kind]) => {
    const found = pattern.exec(text)
    return found ? [`${codePoint(found[0])} (${kind})`] : []
  })
}

/** Findings per added line of one file's part of a patch, at most ten. */
export function suspiciousLines(patch: string): string[] {
  const found: string[] = []
  let line = 0
  let inHunk = false
  for (const text of patch.split('\n')) {
    const hunk = /^@@ -\S+ \+(\d+)/.exec(text)
    if (hunk) {
      line = Number(hunk[1]) - 1
      inHunk = true
      continue
    }
    if (!inHunk || (text[0] !== '+' && text[0] !== ' ')) continue
    line++
    if (text[0] !== '+') continue
    for (const what of suspiciousCharacters(text.slice(1).replace(/\r$/, '')))
      found.push(`${what} in line ${line}`)
    if (found.length >= 10) return found
  }
  return found
}

import { codePoint, HIDDEN_CHARACTERS, isOrdinary } from '../contracts/hidden-characters.ts'

/** What is wrong with a piece of text, such as `U+202E (text direction)`; empty when nothing is. */
export function suspiciousCharacters(text: string): string[] {
  if (isOrdinary(text)) return []
  return HIDDEN_CHARACTERS.flatMap(([pattern, kind]) => {
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

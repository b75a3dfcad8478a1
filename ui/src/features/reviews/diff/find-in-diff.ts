/** A place where the searched text stands. `side` and `line` are those of the file before or after the change. */
export interface Hit {
  path: string
  side: 'additions' | 'deletions'
  line: number
}

/** Hits are counted up to this; more than so many helps nobody. */
export const HIT_LIMIT = 5_000

/**
 * Looks through the text of a diff, hunk by hunk; what the browser's own search finds is only what is painted. Small letters
 * find large ones too; a search with a capital is exact. One hit a line.
 */
export function findInDiff(files: readonly { path: string; patch: string }[], text: string): Hit[] {
  if (text === '') return []
  const exact = text !== text.toLowerCase()
  const hits: Hit[] = []
  for (const { path, patch } of files) {
    if (exact ? !patch.includes(text) : !patch.toLowerCase().includes(text)) continue
    for (const { side, line, content } of changedLines(patch)) {
      if (!(exact ? content : content.toLowerCase()).includes(text)) continue
      hits.push({ path, side, line })
      if (hits.length >= HIT_LIMIT) return hits
    }
  }
  return hits
}

function* changedLines(
  patch: string,
): Generator<{ side: Hit['side']; line: number; content: string }> {
  let [before, after] = [0, 0]
  let [leftBefore, leftAfter] = [0, 0]
  for (const text of patch.split('\n')) {
    if (leftBefore <= 0 && leftAfter <= 0) {
      const hunk = /^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@/.exec(text)
      if (!hunk) continue
      ;[before, after] = [Number(hunk[1]), Number(hunk[3])]
      ;[leftBefore, leftAfter] = [Number(hunk[2] ?? 1), Number(hunk[4] ?? 1)]
      continue
    }
    const content = text.slice(1)
    if (text[0] === '-') {
      yield { side: 'deletions', line: before++, content }
      leftBefore -= 1
    } else if (text[0] === '+') {
      yield { side: 'additions', line: after++, content }
      leftAfter -= 1
    } else if (text[0] === ' ') {
      yield { side: 'additions', line: after++, content }
      before += 1
      leftBefore -= 1
      leftAfter -= 1
    }
  }
}

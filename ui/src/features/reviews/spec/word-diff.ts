/** A piece of text that both versions have, or only one of them. */
export interface WordPart {
  kind: 'same' | 'added' | 'removed'
  text: string
}

/** Beyond this many words the texts are shown as a whole, one after the other. */
const WORD_LIMIT = 1_500

/** What changed between two texts, word by word: the longest common run of words stays. */
export function wordDiff(before: string, after: string): WordPart[] {
  if (before === after) return before === '' ? [] : [{ kind: 'same', text: before }]
  const [a, b] = [wordsOf(before), wordsOf(after)]
  if (a.length > WORD_LIMIT || b.length > WORD_LIMIT)
    return [
      { kind: 'removed', text: before },
      { kind: 'added', text: after },
    ]
  const lengths = commonLengths(a, b)
  const parts: WordPart[] = []
  const push = (kind: WordPart['kind'], text = '') => {
    const last = parts.at(-1)
    if (last?.kind === kind) last.text += text
    else parts.push({ kind, text })
  }
  let [i, j] = [0, 0]
  const lengthAt = (x: number, y: number) => lengths[x]?.[y] ?? 0
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      push('same', a[i])
      i += 1
      j += 1
    } else if (j >= b.length || (i < a.length && lengthAt(i + 1, j) >= lengthAt(i, j + 1)))
      push('removed', a[i++])
    else push('added', b[j++])
  }
  return parts
}

/** Each with the space before it, so that a space alone is nothing that two texts have in common. */
const wordsOf = (text: string) => text.match(/\s*[\p{L}\p{N}_]+|\s*[^\s\p{L}\p{N}_]|\s+/gu) ?? []

/** `[i][j]`: how many words `a` from i on and `b` from j on have in common, in order. */
function commonLengths(a: readonly string[], b: readonly string[]): Uint16Array[] {
  const rows = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1))
  for (let i = a.length - 1; i >= 0; i -= 1) {
    const [row, below] = [rows[i], rows[i + 1]]
    if (!row || !below) continue
    for (let j = b.length - 1; j >= 0; j -= 1)
      row[j] = a[i] === b[j] ? (below[j + 1] ?? 0) + 1 : Math.max(below[j] ?? 0, row[j + 1] ?? 0)
  }
  return rows
}

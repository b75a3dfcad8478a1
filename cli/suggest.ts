/** Up to three of `known` that `word` was probably meant to be, best first. */
export function suggestions(word: string, known: Iterable<string>): string[] {
  const limit = Math.max(1, Math.floor(word.length * 0.4))
  return [...new Set(known)]
    .map((name) => ({
      name,
      distance: name.startsWith(word) && word.length > 1 ? 0.5 : distance(word, name),
    }))
    .filter((each) => each.distance <= limit)
    .sort((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ name }) => name)
}

export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const names = suggestions(word, known)
  return names.length > 0 ? `Did you mean ${names.join(' or ')}?` : undefined
}

/** Edits (insert, delete, replace, swap of neighbours) from one word to the other. */
function distance(from: string, to: string): number {
  let older: number[] = []
  let above = Array.from({ length: to.length + 1 }, (_, at) => at)
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= to.length; j += 1) {
      const same = from[i - 1] === to[j - 1]
      let best = Math.min(at(above, j) + 1, at(row, j - 1) + 1, at(above, j - 1) + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      if (swapped) best = Math.min(best, at(older, j - 2) + 1)
      row.push(best)
    }
    older = above
    above = row
  }
  return at(above, to.length)
}

const at = (row: number[], index: number) => row[index] ?? Number.POSITIVE_INFINITY

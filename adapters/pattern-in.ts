/** A search in words: the same pattern in another place is another search. Undefined where there is no pattern. */
export function patternIn(pattern: unknown, places: readonly unknown[]): string | undefined {
  if (typeof pattern !== 'string') return undefined
  return [pattern, ...places.filter((place) => typeof place === 'string')].join(' in ')
}

/** The first `1.2.3` of a text; undefined where there is none. */
export const versionIn = (text: string): string | undefined => /\d+\.\d+\.\d+/.exec(text)?.[0]

/** True when the first version in `text` is `least` or newer. */
export function isLeast(text: string, least: readonly [number, number, number]): boolean {
  const parts = (versionIn(text) ?? '0.0.0').split('.').map(Number)
  const at = least.findIndex((number, index) => parts[index] !== number)
  return at === -1 || (parts[at] ?? 0) > (least[at] ?? 0)
}

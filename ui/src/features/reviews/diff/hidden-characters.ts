/**
 * Characters that make a reader see something else than what is there (CVE-2021-42574 and relatives): text direction, zero
 * width, hidden tags, controls. The list is that of the server, which calls such a change risky; here they become visible.
 */
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what must be found
  /[\u202a-\u202e\u2066-\u2069\u061c\u200e\u200f\u200b-\u200d\u2060-\u2064\ufeff\u00ad\u180e\u{e0000}-\u{e007f}\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x9f]/gu
// biome-ignore lint/suspicious/noControlCharactersInRegex: the fast way out for ordinary text
const ORDINARY = /^[\x09\x0a\x0c\x0d\x20-\x7e]*$/

/** The text with each of them as `⟨U+202E⟩`, and how many there were. */
export function showHidden(text: string): { text: string; count: number } {
  if (ORDINARY.test(text)) return { text, count: 0 }
  let count = 0
  const shown = text.replace(HIDDEN, (character) => {
    count += 1
    const code = (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')
    return `⟨U+${code}⟩`
  })
  return { text: shown, count }
}

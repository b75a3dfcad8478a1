/**
 * Characters that make a reader see something else than what is there (CVE-2021-42574 and relatives). A change that
 * brings one is called risky, and where a change is shown they are made visible.
 */
export const HIDDEN_CHARACTERS: readonly (readonly [RegExp, kind: string])[] = [
  [/[\u202a-\u202e\u2066-\u2069\u061c\u200e\u200f]/u, 'text direction'],
  [/[\u200b\u2060-\u2064\ufeff\u00ad\u180e]/u, 'zero width'],
  // emoji and some scripts need them
  [/[\u200c\u200d]/u, 'joiner'],
  [/[\u{e0000}-\u{e007f}]/u, 'hidden tag'],
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what must be found
  [/[\x00-\x08\x0b\x0e-\x1f\x7f\x80-\x9f]/u, 'control'],
]

// biome-ignore lint/suspicious/noControlCharactersInRegex: the fast way out for ordinary text
const ORDINARY = /^[\x09\x0a\x0c\x0d\x20-\x7e]*$/
const ANY = new RegExp(HIDDEN_CHARACTERS.map(([{ source }]) => source).join('|'), 'gu')

/** No character of the text is hidden. */
export const isOrdinary = (text: string) => ORDINARY.test(text)

/** `U+202E`. */
export const codePoint = (character: string) =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`

/** The text with each hidden character as `shown` says it, and how many there were. */
export function showHidden(
  text: string,
  shown: (code: string, character: string) => string,
): { text: string; count: number } {
  if (isOrdinary(text)) return { text, count: 0 }
  let count = 0
  const visible = text.replace(ANY, (character) => {
    count += 1
    return shown(codePoint(character), character)
  })
  return { text: visible, count }
}

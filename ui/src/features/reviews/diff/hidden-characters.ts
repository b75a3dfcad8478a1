import { codePoint, showHidden as show } from '../../../../../contracts/hidden-characters.ts'

/** The text with each hidden character as `⟨U+202E⟩`, and how many there were. */
export const showHidden = (text: string) => show(text, (code) => `⟨${code}⟩`)

/** A file's name, in which a line's end and a tab are hidden too: `a⟨U+000A⟩b`. */
export const showName = (path: string): string =>
  showHidden(path).text.replace(/[\t\n\f\r]/g, (character) => `⟨${codePoint(character)}⟩`)

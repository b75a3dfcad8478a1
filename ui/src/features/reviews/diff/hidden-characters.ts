import { showHidden as show } from '../../../../../contracts/hidden-characters.ts'

/** The text with each hidden character as `⟨U+202E⟩`, and how many there were. */
export const showHidden = (text: string) => show(text, (code) => `⟨${code}⟩`)

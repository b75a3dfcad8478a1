/** Text on its way to a terminal: what agents wrote must not drive it, and columns must line up. */
import { showHidden } from '../contracts/hidden-characters.ts'

const ESC = '\u001b'
const SGR = new RegExp(`${ESC}\\[[0-9;:]*m`, 'g')
/** CSI, then OSC/DCS/SOS/PM/APC up to their terminator, then two-byte sequences; in their 7-bit and 8-bit forms. */
const SEQUENCES = new RegExp(
  [
    `(?:${ESC}\\[|\u009b)[0-?]*[ -/]*[@-~]?`,
    `(?:${ESC}[\\]PX^_]|[\u009d\u0090\u0098\u009e\u009f])[^\u0007\u009c${ESC}]*(?:\u0007|\u009c|${ESC}\\\\)?`,
    `${ESC}[ -/]*[0-~]?`,
  ].join('|'),
  'g',
)
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it removes
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g
const JOINERS = /[\u200c\u200d]/

/**
 * Makes foreign text safe to print. Every escape sequence but colours (SGR) goes, other control characters too; with
 * `colours` false the colours go as well. Newlines and tabs stay, carriage returns become newlines.
 */
export function sanitize(text: string, { colours = false } = {}): string {
  const lines = text.replace(/\r\n?/g, '\n')
  const parts: string[] = []
  let last = 0
  let coloured = false
  for (const match of lines.matchAll(SEQUENCES)) {
    parts.push(plain(lines.slice(last, match.index)))
    last = match.index + match[0].length
    if (!colours || match[0].replace(SGR, '') !== '') continue
    parts.push(match[0])
    coloured = true
  }
  parts.push(plain(lines.slice(last)))
  return parts.join('') + (coloured ? `${ESC}[0m` : '')
}

/** What makes text read otherwise than it is gets shown by name; joiners, which emoji are made with, stay. */
const plain = (text: string) =>
  showHidden(text.replace(CONTROLS, ''), (code, char) => (JOINERS.test(char) ? char : `<${code}>`))
    .text

export const oneLine = (text: string) => sanitize(text).replace(/\s+/g, ' ').trim()

/** Columns that the text takes on a terminal. Colours take none, East Asian wide characters and emoji two. */
export function displayWidth(text: string): number {
  const bare = text.includes(ESC) ? text.replace(SGR, '') : text
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the printable ASCII range
  if (!/[^\u0000-\u02ff]/.test(bare)) return bare.length
  let width = 0
  for (const char of bare) width += charWidth(char)
  return width
}

const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]$/u
const WIDE =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$/u

function charWidth(char: string): number {
  if (ZERO_WIDTH.test(char)) return 0
  return WIDE.test(char) || /^\p{Emoji_Presentation}$/u.test(char) ? 2 : 1
}

/** Cuts plain text (no colours in it) to `columns`, with an ellipsis when something went. */
export function truncate(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text
  if (columns < 1) return ''
  let width = 0
  let kept = ''
  for (const char of text) {
    width += charWidth(char)
    if (width > columns - 1) break
    kept += char
  }
  return `${kept}…`
}

export const padEnd = (text: string, columns: number) =>
  text + ' '.repeat(Math.max(0, columns - displayWidth(text)))

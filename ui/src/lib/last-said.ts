import type { TranscriptEntry } from '../../../contracts/schemas.ts'

/** Agents speak in pieces of words; the pieces at the end are joined, up to this many characters. */
const LONGEST = 160

/** The last line that a transcript says, undefined when it says nothing yet. */
export function lastSaid(items: readonly TranscriptEntry[]): string | undefined {
  let text = ''
  for (let index = items.length - 1; index >= 0 && text.length < LONGEST; index -= 1) {
    const entry = items[index]
    if (!entry || entry.kind === 'usage') continue
    if (entry.kind === 'text') text = field(entry, 'text') + text
    else if (text.trim() !== '') break
    else {
      const line = act(entry)
      if (line) return line
    }
  }
  if (looksLikeAnswer(text)) return 'Writes its answer'
  const line = text.trim().split('\n').at(-1)?.trim()
  if (!line) return undefined
  // its beginning is not there: from the next whole word on
  return line.length < LONGEST ? line : `…${line.slice(-LONGEST).replace(/^\S*\s/, '')}`
}

/** An answer in a shape is written as JSON, of which a piece is nothing to read. */
const looksLikeAnswer = (text: string) => /^\s*(?:\{|\[|```json)|"\w+":\s*["{[\d]/.test(text)

function act(entry: TranscriptEntry): string | undefined {
  switch (entry.kind) {
    case 'tool':
      return `${field(entry, 'name')} ${field(entry, 'input')}`.trim()
    case 'file':
      return `${field(entry, 'change')} ${field(entry, 'path')}`
    case 'retry':
      return `trying again: ${field(entry, 'detail')}`
    default:
      return undefined
  }
}

function field({ content }: TranscriptEntry, name: string): string {
  const value = content[name]
  return typeof value === 'string' ? value : ''
}

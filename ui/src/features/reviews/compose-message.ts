/** A remark that waits for the verdict. Lines count from 1; `old` is a line that the change removes. */
export interface DraftComment {
  id: string
  place: CommentPlace
  /** Empty until it was added. */
  text: string
  /** What stands in its field while it is written or changed: a page that is left or loaded again has it still. */
  writing?: string | undefined
}
export type CommentPlace =
  | { kind: 'line'; file: string; side: 'new' | 'old'; start: number; end: number }
  | { kind: 'file'; file: string }
  | { kind: 'section'; section: string }

/** What the contract takes of a comment. */
export const MESSAGE_LIMIT = 20_000

/** The summary and every remark as the one message that the agent gets, in Markdown. Empty when nothing was said. */
export function composeMessage(summary: string, comments: readonly DraftComment[]): string {
  const groups = new Map<string, DraftComment[]>()
  for (const comment of comments) {
    if (comment.text.trim() === '') continue
    const heading = headingOf(comment.place)
    groups.set(heading, [...(groups.get(heading) ?? []), comment])
  }
  const parts = [...groups].map(([heading, remarks]) =>
    [`### ${heading}`, ...remarks.sort(byLine).map(asItem)].join('\n'),
  )
  return [summary.trim(), ...parts].filter(Boolean).join('\n\n')
}

/** Those that go along with a verdict. */
export const addedOf = (comments: readonly DraftComment[]): DraftComment[] =>
  comments.filter(({ text }) => text !== '')

/** Those that were begun or changed, and neither added nor left as they were. */
export const unfinishedOf = (comments: readonly DraftComment[]): DraftComment[] =>
  comments.filter(({ text, writing = '' }) => writing.trim() !== '' && writing.trim() !== text)

/** With what stands in the fields as their texts: nothing can be added to a review that is decided. */
export const asWritten = (comments: readonly DraftComment[]): DraftComment[] =>
  comments.map(({ writing = '', ...one }) => ({ ...one, text: writing.trim() || one.text }))

/** `src/a.ts`, or the part of the spec. */
const headingOf = (place: CommentPlace) =>
  place.kind === 'section' ? place.section : `\`${place.file.replaceAll('`', "'")}\``

/** `Line 12`, `Lines 12–14`, `Removed line 3`, `Whole file`, or undefined for a part of a spec. */
export function placeLabel(place: CommentPlace): string | undefined {
  switch (place.kind) {
    case 'section':
      return undefined
    case 'file':
      return 'Whole file'
    case 'line': {
      const several = place.start !== place.end
      const word = several ? 'lines' : 'line'
      const range = several ? `${place.start}–${place.end}` : place.start
      return place.side === 'old' ? `Removed ${word} ${range}` : `${capital(word)} ${range}`
    }
    default:
      return place satisfies never
  }
}

const capital = (word: string) => word[0]?.toUpperCase() + word.slice(1)

function asItem({ place, text }: DraftComment): string {
  const label = placeLabel(place)
  const lines = text.trim().split('\n')
  const [first, ...rest] =
    label === undefined ? lines : [`${label}: ${lines[0]}`, ...lines.slice(1)]
  return [`- ${first}`, ...rest.map((line) => `  ${line}`)].join('\n')
}

const lineOf = ({ place }: DraftComment) => (place.kind === 'line' ? place.start : 0)
const byLine = (a: DraftComment, b: DraftComment) => lineOf(a) - lineOf(b)

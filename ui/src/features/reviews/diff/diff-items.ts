import { type FileDiffMetadata, processFile } from '@pierre/diffs'
import type { ReviewFile } from '../../../../../contracts/schemas.ts'
import { showHidden } from './hidden-characters.ts'

/** A file as the diff draws it. `lines` is undefined when there is no text to draw. */
export interface DrawnFile {
  file: ReviewFile
  lines: FileDiffMetadata
  /** Characters that were made visible, in its name and in its lines. */
  hidden: number
  /** How its changed lines end, where that is another way than before: `CRLF to LF`. Nothing else shows it. */
  lineEnds: string | undefined
  /** In place of lines: binary, moved only, left out. */
  instead: string | undefined
}

/** Parses the part of one file. Hidden characters stand in it as `⟨U+202E⟩`. */
export function drawFile(file: ReviewFile): DrawnFile {
  const { text, count } = showHidden(file.patch ?? '')
  const parsed = text === '' ? undefined : processFile(firstPart(text), { isGitDiff: true })
  const lines = {
    ...(parsed ?? EMPTY),
    // the parser takes names from headers, where git quotes some of them
    ...{ name: file.path, ...(file.oldPath && { prevName: file.oldPath }) },
    cacheKey: `${file.path}:${file.oldPath}:${file.blob}:${text.length}`,
  }
  const hidden = count + showHidden(file.path).count
  return {
    file,
    lines,
    hidden,
    lineEnds: lineEndsOf(firstPart(text)),
    instead: insteadOf(file, lines),
  }
}

const EMPTY: FileDiffMetadata = {
  ...{
    name: '',
    type: 'change',
    hunks: [],
    splitLineCount: 0,
    unifiedLineCount: 0,
    isPartial: true,
  },
  ...{ deletionLines: [], additionLines: [], deletionCharacterCount: 0, additionCharacterCount: 0 },
}

/** A file that became a link has two parts; the first one, what it was, is drawn, and the second is named in its notes. */
const firstPart = (text: string) => text.split(/^(?=diff --git )/m)[0] ?? ''

function lineEndsOf(patch: string): string | undefined {
  const lines = patch.slice(patch.indexOf('\n@@')).split('\n')
  const [before, after] = ['-', '+'].map((sign) => {
    // the last line of a file may have no end at all, which git says below it
    const own = lines.filter(
      (line, at) => line.startsWith(sign) && !lines[at + 1]?.startsWith('\\'),
    )
    const crlf = own.filter((line) => line.endsWith('\r')).length
    return own.length === 0 ? undefined : crlf === 0 ? 'LF' : crlf === own.length ? 'CRLF' : 'mixed'
  })
  return before && after && before !== after ? `${before} to ${after}` : undefined
}

function insteadOf(file: ReviewFile, lines: FileDiffMetadata): string | undefined {
  if (file.patch === null) return 'left-out'
  if (lines.hunks.length > 0) return undefined
  if (file.binary) return 'Binary file: its content is not shown.'
  if (file.status === 'renamed') return 'Moved without a change.'
  if (file.patch === '') return 'Only white space differs.'
  if (file.additions + file.deletions === 0) return 'Its content is empty or did not change.'
  return 'Nothing of it can be shown.'
}

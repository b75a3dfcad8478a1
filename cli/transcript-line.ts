import type { TranscriptEntry } from '../contracts/schemas.ts'
import type { Io } from './io.ts'

/** An entry of a run's transcript as lines for a person; undefined when it says nothing to one. */
export function transcriptLine(
  entry: Pick<TranscriptEntry, 'kind' | 'content'>,
  io: Io,
): string | undefined {
  const { kind, content } = entry
  const field = (name: string) => (typeof content[name] === 'string' ? io.clean(content[name]) : '')
  switch (kind) {
    case 'text':
      return field('text')
    case 'reasoning':
    case 'notice':
      return io.paint('dim', field('text'))
    case 'tool':
      return io.paint('cyan', `> ${field('name')} ${field('input')}`)
    case 'tool_result':
      return io.paint(
        'dim',
        content['ok'] === false ? `failed: ${field('output')}` : field('output'),
      )
    case 'file':
      return io.paint('blue', `${field('change')} ${field('path')}`)
    case 'session':
      return io.paint('dim', `session ${field('sessionId')} ${field('model')}`.trimEnd())
    case 'retry':
      return io.paint('yellow', `trying again (${field('reason')}): ${field('detail')}`)
    case 'compaction':
      return io.paint('magenta', `the agent shortened its context ${field('summary')}`.trimEnd())
    case 'correction':
      return io.paint('yellow', `correction ${field('state')} ${field('text')}`.trimEnd())
    case 'done':
      return io.paint('green', 'done')
    case 'failed':
      return io.paint('red', `failed (${field('reason')}): ${field('detail')}`)
    case 'usage':
      return undefined
    default:
      return io.paint('dim', `${io.clean(kind)} ${io.clean(JSON.stringify(content))}`)
  }
}

/** No more entries follow one of these. */
export const isLastEntry = ({ kind }: { kind?: unknown }) => kind === 'done' || kind === 'failed'

/** Agents speak in pieces of words: these continue each other, every other entry begins a line. */
export const isFragment = ({ kind }: { kind?: unknown }) => kind === 'text' || kind === 'reasoning'

/** Prints entries so that pieces of one text join again. */
export function createTranscriptPrinter(io: Io) {
  let openKind: string | undefined
  const endLine = () => {
    if (openKind !== undefined) io.print()
    openKind = undefined
  }
  return {
    print(entry: Pick<TranscriptEntry, 'kind' | 'content'>) {
      const line = transcriptLine(entry, io)
      if (io.json || !line) return
      if (openKind !== entry.kind) endLine()
      if (!isFragment(entry)) return io.print(line)
      io.draw(line)
      openKind = entry.kind
    },
    /** Ends the last line, if it is still open. */
    end: endLine,
  }
}

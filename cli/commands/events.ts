import type { StoredEvent } from '../../contracts/events.ts'
import { type Deps, defineCommand } from '../command.ts'
import { eventLine } from '../event-line.ts'
import { EXIT } from '../failure.ts'
import type { Io } from '../io.ts'
import { wholeNumber } from '../page.ts'
import { oneLine } from '../terminal-text.ts'

const NEWEST = 50

export const events = defineCommand({
  name: 'events',
  summary: 'Show what happened last, oldest first',
  prints: { replies: ['listEvents'] },
  args: {},
  options: {
    stream: { type: 'string', help: 'feed, system or goal/G-12 (feed)' },
    after: {
      type: 'string',
      value: 'seq',
      help: 'replay what came after this one; 0 is from the beginning',
    },
    limit: {
      type: 'string',
      value: 'n',
      help: 'at most this many, 1 to 200 (50; 200 with --after)',
    },
    follow: { type: 'boolean', short: 'f', help: 'go on until Ctrl-C' },
  },
  examples: ['dispatch events', 'dispatch events --after 0', 'dispatch events -f --json'],
  handlesInterrupt: true,
  async run({ stream = 'feed', after, limit, follow }, deps, io) {
    const range = { min: 0, max: Number.MAX_SAFE_INTEGER }
    const from = after ? wholeNumber('--after', after, range) : undefined
    const most = limit ? wholeNumber('--limit', limit, { min: 1, max: 200 }) : undefined
    if (follow && from !== undefined) return followEvents({ stream, after: from }, deps, io)
    const page = await deps.call('listEvents', {
      query:
        from === undefined
          ? { stream, last: most ?? NEWEST }
          : { stream, after: from, limit: most ?? 200 },
    })
    if (follow) {
      for (const event of page.items) showLive(event, io)
      return followEvents({ stream, after: lastSeq(stream, page.items) }, deps, io)
    }
    if (io.json) io.document(page)
    for (const event of page.items) printEvent(event, io)
    if (page.next !== null) io.note(`There are more: add --after ${page.next}`)
    return EXIT.ok
  },
})

async function followEvents(
  { stream, after }: { stream: string; after: number },
  deps: Deps,
  io: Io,
) {
  for await (const item of deps.subscribe(stream, { after, signal: deps.signal })) {
    showLive(item as unknown as StoredEvent, io)
  }
  return EXIT.interrupted
}

/** Where a stream goes on; the feed counts for itself. */
function lastSeq(stream: string, items: readonly StoredEvent[]): number {
  const last = items.at(-1)
  return (stream === 'feed' ? last?.feedSeq : last?.seq) ?? 0
}

function showLive(event: StoredEvent, io: Io) {
  if (io.json) io.document(event, { line: true })
  printEvent(event, io)
}

function printEvent(event: StoredEvent, io: Io) {
  io.print([String(event.feedSeq), event.at, event.actor, eventLine(event)].map(oneLine).join('\t'))
}

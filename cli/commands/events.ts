import type { StoredEvent } from '../../contracts/events.ts'
import { type Deps, defineCommand } from '../command.ts'
import { eventLine } from '../event-line.ts'
import { EXIT } from '../failure.ts'
import type { Io } from '../io.ts'
import { wholeNumber } from '../page.ts'
import { oneLine } from '../terminal-text.ts'

export const events = defineCommand({
  name: 'events',
  summary: 'Show what happened, in order',
  args: {},
  options: {
    stream: { type: 'string', help: 'feed, system or goal/G-12 (feed)' },
    after: { type: 'string', value: 'seq', help: 'only what came after this one (0)' },
    limit: { type: 'string', value: 'n', help: 'at most this many, 1 to 200 (200)' },
    follow: { type: 'boolean', short: 'f', help: 'go on until Ctrl-C' },
  },
  examples: ['dispatch events --after 120', 'dispatch events -f --json'],
  handlesInterrupt: true,
  async run({ stream = 'feed', after, limit, follow }, deps, io) {
    const from = after ? wholeNumber('--after', after, { min: 0, max: Number.MAX_SAFE_INTEGER }) : 0
    if (follow) return followEvents({ stream, after: from }, deps, io)
    const most = limit ? wholeNumber('--limit', limit, { min: 1, max: 200 }) : 200
    const page = await deps.call('listEvents', { query: { stream, after: from, limit: most } })
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
    if (io.json) io.document(item, { line: true })
    printEvent(item as unknown as StoredEvent, io)
  }
  return EXIT.interrupted
}

function printEvent(event: StoredEvent, io: Io) {
  io.print([String(event.feedSeq), event.at, event.actor, eventLine(event)].map(oneLine).join('\t'))
}

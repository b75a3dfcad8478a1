import type { Knex } from 'knex'
import { type SocketMessage, WIRE_NAMES } from '../contracts/events.ts'
import { FEED_STREAM } from '../contracts/ids.ts'
import { readEvents } from '../db/events.ts'
import type { Stream } from '../db/streams.ts'
import type { TranscriptReader } from '../db/transcript-reader.ts'

export interface Subscription {
  /** Reads and sends what is new. Called while it is at work, it looks once more afterwards. */
  pump(): void
  /** Whether a hint about this canonical stream concerns it. */
  covers(stream: string): boolean
  stop(): void
}

type Item = { seq: number; [key: string]: unknown }

/** Each has some kilobytes at most. */
const MAX_EVENTS = 200

/** One client's place in one stream. Only `pump` moves it, one read at a time. */
export function createSubscription(deps: {
  knex: Knex
  transcripts: TranscriptReader
  stream: Stream
  /** The stream as the client named it. */
  name: string
  after: number
  /** Of what is stored before; resolves when the message has left for the network. */
  replay: (message: SocketMessage) => Promise<void>
  /** Of what comes. Not waited for, so that a client that does not keep up is noticed and closed. */
  send: (message: SocketMessage) => Promise<void>
  onError: (error: Error) => void
}): Subscription {
  const { stream, name, replay, send } = deps
  const kind = stream.kind === 'run' ? 'agent:token' : stream.kind
  let last = deps.after
  let live = false
  let busy = false
  let again = false
  let stopped = false

  /** Reads and sends once; true when there may be more. */
  async function step(): Promise<boolean> {
    again = false
    const { items, more } = await readItems(deps, last)
    const end = items.at(-1)
    if (stopped) return false
    if (end) {
      last = end.seq
      const batch = { type: 'batch', stream: name, name: kind, items } as const
      if (live) void send(batch)
      else await replay(batch)
    }
    if (more) return true
    if (!live) {
      live = true
      await send({ type: 'live', stream: name, seq: last })
    }
    return again
  }

  async function drain(): Promise<void> {
    try {
      while (await step());
    } catch (error) {
      deps.onError(error as Error) // the next hint or poll reads again, from the same seq
    }
    busy = false
    if (again && !stopped) pump()
  }

  function pump(): void {
    again = true
    if (busy || stopped) return
    busy = true
    void drain()
  }

  return {
    pump,
    covers: (other) => (stream.kind === 'feed' ? !other.startsWith('run/') : other === stream.name),
    stop() {
      stopped = true
    },
  }
}

async function readItems(
  { knex, transcripts, stream }: { knex: Knex; transcripts: TranscriptReader; stream: Stream },
  after: number,
): Promise<{ items: Item[]; more: boolean }> {
  if (stream.kind === 'run') {
    const { entries, more } = await transcripts.after(stream.runId, after)
    return { items: entries, more }
  }
  const feed = stream.name === FEED_STREAM
  const events = await readEvents(knex, { stream: stream.name, after, limit: MAX_EVENTS })
  const items = events.map((event) => ({
    ...event,
    seq: feed ? event.feedSeq : event.seq,
    name: WIRE_NAMES[event.type],
  }))
  return { items, more: items.length === MAX_EVENTS }
}

import type { Knex } from 'knex'
import type { EventBody, StoredEvent } from '../contracts/events.ts'
import { FEED_STREAM } from '../contracts/ids.ts'

export type EmittedEvent = EventBody & { stream: string; actor: string }

/** The channel that says "there is something new"; the payload is the stream's name. Only a hint: readers poll too. */
export const EVENTS_CHANNEL = 'dispatch_events'

/**
 * Appends to the log. The counter rows make every stream gapless: the feed's row is always taken first, so appenders
 * line up instead of waiting for each other in a circle.
 */
export async function appendEvents(
  tx: Knex.Transaction,
  emitted: readonly EmittedEvent[],
): Promise<void> {
  if (emitted.length === 0) return
  let feedSeq = await advance(tx, FEED_STREAM, emitted.length)
  const byStream = new Map<string, EmittedEvent[]>()
  for (const event of emitted)
    byStream.set(event.stream, [...(byStream.get(event.stream) ?? []), event])
  const next = new Map<string, number>()
  for (const [stream, events] of byStream)
    next.set(stream, await advance(tx, stream, events.length))
  const rows = emitted.map((event) => {
    const seq = next.get(event.stream) ?? 0
    next.set(event.stream, seq + 1)
    return {
      feed_seq: feedSeq++,
      stream: event.stream,
      seq,
      type: event.type,
      actor: event.actor,
      data: event.data,
    }
  })
  await tx('events').insert(rows)
  for (const stream of byStream.keys())
    await tx.raw('select pg_notify(?, ?)', [EVENTS_CHANNEL, stream])
}

/** Takes `count` numbers of a stream and returns the first. */
async function advance(tx: Knex.Transaction, stream: string, count: number): Promise<number> {
  const { rows } = await tx.raw(
    `insert into streams(name, seq) values (?, ?)
     on conflict (name) do update set seq = streams.seq + ? returning seq`,
    [stream, count, count],
  )
  return Number(rows[0].seq) - count + 1
}

/** Events of a stream after a seq, in order. For `feed` the seq is `feedSeq`. */
export async function readEvents(
  knex: Knex,
  query: { stream: string; after: number; limit: number },
): Promise<StoredEvent[]> {
  const column = seqColumn(query.stream)
  const rows = await streamRows(knex, query.stream)
    .where(column, '>', query.after)
    .orderBy(column)
    .limit(query.limit)
  return rows.map(toEvent)
}

/** The newest events of a stream, oldest first. */
export async function readLastEvents(
  knex: Knex,
  query: { stream: string; last: number },
): Promise<StoredEvent[]> {
  const rows = await streamRows(knex, query.stream)
    .orderBy(seqColumn(query.stream), 'desc')
    .limit(query.last)
  return rows.reverse().map(toEvent)
}

const seqColumn = (stream: string) => (stream === FEED_STREAM ? 'feed_seq' : 'seq')

const streamRows = (knex: Knex, stream: string): Knex.QueryBuilder =>
  knex('events').modify((q) => (stream === FEED_STREAM ? q : q.where({ stream })))

const toEvent = (row: Record<string, unknown>) =>
  ({
    stream: row['stream'],
    seq: row['seq'],
    feedSeq: row['feed_seq'],
    actor: row['actor'],
    at: row['at'],
    type: row['type'],
    data: row['data'],
  }) as unknown as StoredEvent

import type { Knex } from 'knex'
import type { EventBody, StoredEvent } from '../contracts/events.ts'
import { FEED_STREAM } from '../contracts/ids.ts'
import { storable } from '../contracts/storable.ts'

export type EmittedEvent = EventBody & { stream: string; actor: string }

/** The channel that says "there is something new"; the payload is the stream's name. Only a hint: readers poll too. */
export const EVENTS_CHANNEL = 'dispatch_events'

/**
 * Appends to the log, in one statement. The counter rows make every stream gapless: the feed's row is always taken
 * first (the streams' rows are made from it), so appenders line up instead of waiting for each other in a circle.
 */
export async function appendEvents(
  tx: Knex.Transaction,
  emitted: readonly EmittedEvent[],
): Promise<void> {
  if (emitted.length === 0) return
  const rows = emitted.map(({ stream, type, actor, data }, n) => ({
    n: n + 1,
    stream,
    type,
    actor,
    data,
  }))
  const bindings = {
    rows: JSON.stringify(storable(rows)),
    count: emitted.length,
    feed: FEED_STREAM,
    channel: EVENTS_CHANNEL,
  }
  await tx.raw(APPEND, bindings).options({ name: 'append-events' })
}

const APPEND = `
with added as (
  select *, row_number() over (partition by stream order by n) as place
    from jsonb_to_recordset(cast(:rows as jsonb)) as t(n bigint, stream text, type text, actor text, data jsonb)
), feed as (
  insert into streams(name, seq) values (:feed, :count)
  on conflict (name) do update set seq = streams.seq + excluded.seq returning seq - :count as before
), grown as (
  insert into streams(name, seq)
  select stream, count(*) from added cross join feed group by stream
  on conflict (name) do update set seq = streams.seq + excluded.seq returning name, seq
), stored as (
  insert into events(feed_seq, stream, seq, type, actor, data)
  select feed.before + added.n,  added.stream,
    grown.seq - count(*) over (partition by added.stream) + added.place, added.type, added.actor, added.data
    from added cross join feed join grown on grown.name = added.stream
   order by added.n
)
select pg_notify(:channel, name) from grown`

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

import type { Knex } from 'knex'
import type { TranscriptEntry } from '../contracts/schemas.ts'

/** Reads what is new in runs' transcripts, for many readers at once. */
export interface TranscriptReader {
  /** The entries after a seq, in order, as many as one message may bring. */
  after(runId: string, seq: number): Promise<TranscriptPart>
}

interface TranscriptPart {
  entries: TranscriptEntry[]
  /** There may be others after these. */
  more: boolean
}

const MAX_ENTRIES = 200
/** An entry may have 256 KB; the one that goes beyond this is the last. */
const MAX_BYTES = 1024 * 1024

interface Question {
  runId: string
  seq: number
  found: (part: TranscriptPart) => void
  failed: (error: unknown) => void
}

/**
 * Entries of a page as SQL, and of each how many were `read`: those that are too many bytes are left to the next page. What they take as
 * they are kept comes first, which is known without reading them.
 */
export const pageOfEntries = (page: { where: string; order: 'asc' | 'desc'; limit: string }) => `
select seq, at, role, kind, content, read from (
  select *, sum(octet_length(content::text)) over (order by seq ${page.order}) - octet_length(content::text) as before from (
    select *, count(*) over () as read,
      sum(pg_column_size(content)) over (order by seq ${page.order}) - pg_column_size(content) as kept_before from (
      select * from transcripts where ${page.where} order by seq ${page.order} limit ${page.limit}) page) kept
   where kept_before < ${MAX_BYTES}) sized
 where before < ${MAX_BYTES} order by seq ${page.order}`

const READ = `
select w.n, t.* from unnest(cast(:runs as uuid[]), cast(:seqs as bigint[])) with ordinality as w(run_id, after, n)
  cross join lateral (${pageOfEntries({ where: 'run_id = w.run_id and seq > w.after', order: 'asc', limit: `${MAX_ENTRIES}` })}) t
 order by w.n, t.seq`

/**
 * Questions that come while the last ones are being answered share the next query, without a timer: forty agents that
 * speak at once cost one question, not forty.
 */
export function createTranscriptReader(knex: Knex): TranscriptReader {
  let waiting: Question[] = []
  let busy = false

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const together = waiting
      waiting = []
      await answer(knex, together)
    }
    busy = false
  }

  return {
    after: (runId, seq) =>
      new Promise((found, failed) => {
        waiting.push({ runId, seq, found, failed })
        if (busy) return
        busy = true
        // the hints of one commit arrive in one piece, so their questions are all there after this tick
        queueMicrotask(() => void drain())
      }),
  }
}

async function answer(knex: Knex, together: readonly Question[]): Promise<void> {
  try {
    const { rows } = await knex
      .raw(READ, {
        runs: together.map(({ runId }) => runId),
        seqs: together.map(({ seq }) => seq),
      })
      .options({ name: 'transcripts-after' })
    const parts = together.map((): TranscriptPart => ({ entries: [], more: false }))
    for (const { n, read, ...entry } of rows) {
      const part = parts[n - 1]
      if (!part) continue
      part.entries.push(entry)
      part.more = read === MAX_ENTRIES || read > part.entries.length
    }
    for (const [index, { found }] of together.entries())
      found(parts[index] ?? { entries: [], more: false })
  } catch (error) {
    for (const { failed } of together) failed(error)
  }
}

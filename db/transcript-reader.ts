import type { Knex } from 'knex'
import type { TranscriptEntry } from '../contracts/schemas.ts'

/** Reads what is new in runs' transcripts, for many readers at once. */
export interface TranscriptReader {
  /** The entries after a seq, in order, at most `TRANSCRIPT_BATCH`. */
  after(runId: string, seq: number): Promise<TranscriptEntry[]>
}

export const TRANSCRIPT_BATCH = 200

interface Question {
  runId: string
  seq: number
  found: (entries: TranscriptEntry[]) => void
  failed: (error: unknown) => void
}

const READ = `
select w.n, t.* from unnest(cast(:runs as uuid[]), cast(:seqs as bigint[])) with ordinality as w(run_id, after, n)
  cross join lateral (select seq, at, role, kind, content from transcripts
    where run_id = w.run_id and seq > w.after order by seq limit ${TRANSCRIPT_BATCH}) t
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
    const entries = together.map((): TranscriptEntry[] => [])
    for (const { n, ...entry } of rows) entries[n - 1]?.push(entry)
    for (const [index, question] of together.entries()) question.found(entries[index] ?? [])
  } catch (error) {
    for (const { failed } of together) failed(error)
  }
}

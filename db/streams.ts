import type { Knex } from 'knex'
import { FEED_STREAM, goalStream, runStream, SYSTEM_STREAM } from '../contracts/ids.ts'
import { isRefusal, type Refusal, refuse } from './refusal.ts'
import { resolveId } from './resolve.ts'

/** A stream that exists. `name` is the canonical one, with the full id. */
export type Stream =
  | { kind: 'feed' | 'system' | 'goal'; name: string }
  | { kind: 'run'; name: string; runId: string }

/** The stream that a client named: `feed`, `system`, `goal/<id>` or `run/<id>`, short ids allowed. */
export async function resolveStream(knex: Knex, text: string): Promise<Stream | Refusal> {
  if (text === FEED_STREAM) return { kind: 'feed', name: text }
  if (text === SYSTEM_STREAM) return { kind: 'system', name: text }
  const [kind, id, ...rest] = text.split('/')
  if ((kind !== 'goal' && kind !== 'run') || !id || rest.length > 0)
    return refuse('bad_stream', `There is no stream ${JSON.stringify(text)}.`, {
      advice: 'Streams are feed, system, goal/<id> and run/<id>.',
    })
  const found = await resolveId(knex, kind, id)
  if (isRefusal(found)) return found
  if (kind === 'goal') return { kind, name: goalStream(found.id) }
  return { kind, name: runStream(found.id), runId: found.id }
}

/** The last seq of a stream, 0 when nothing was written to it yet. */
export async function headOf(knex: Knex, stream: Stream): Promise<number> {
  if (stream.kind === 'run') {
    const row = await knex('transcripts')
      .where({ run_id: stream.runId })
      .max({ seq: 'seq' })
      .first()
    return Number(row?.['seq'] ?? 0)
  }
  const row = await knex('streams').where({ name: stream.name }).first('seq')
  return Number(row?.seq ?? 0)
}

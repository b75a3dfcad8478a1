import type { RunEvent, Usage } from '../contracts/agent.ts'
import type { Database } from './connect.ts'

/** The payload is the run's id. Once per batch, never per token. */
export const TRANSCRIPTS_CHANNEL = 'dispatch_transcripts'

/** Who speaks in a transcript entry. */
function roleOf(event: RunEvent): 'agent' | 'system' | 'hitl' | 'tool' {
  switch (event.type) {
    case 'text':
    case 'reasoning':
    case 'done':
      return 'agent'
    case 'tool':
    case 'tool_result':
    case 'file':
      return 'tool'
    case 'correction':
      return 'hitl'
    default:
      return 'system'
  }
}

/**
 * Stores a batch of a run's events and what they say of the run (session, usage, last line), in one transaction and
 * before anyone is shown them. The runner numbered the events; storing one twice changes nothing.
 */
export async function storeEvents(
  database: Database,
  runId: string,
  batch: readonly RunEvent[],
): Promise<void> {
  const last = batch.at(-1)
  if (!last) return
  const rows = batch.map((event) => {
    const { seq, at, type, ...content } = event
    return { seq, at, role: roleOf(event), kind: type, content: clean(content) }
  })
  await database.knex.transaction(async (tx) => {
    await tx.raw(
      `insert into transcripts(run_id, seq, at, role, kind, content)
       select ?, seq, at, role, kind, content from jsonb_to_recordset(?::jsonb)
         as t(seq bigint, at timestamptz, role text, kind text, content jsonb)
       on conflict do nothing`,
      [runId, JSON.stringify(rows)],
    )
    await tx('agent_runs')
      .where({ id: runId })
      .update({ last_seq: last.seq, ...whatTheyTell(batch) })
    await tx.raw('select pg_notify(?, ?)', [TRANSCRIPTS_CHANNEL, runId])
  })
}

/** Postgres stores every character but NUL. */
function clean(content: Record<string, unknown>): unknown {
  const text = JSON.stringify(content)
  return text.includes('\\u0000') ? JSON.parse(text.replaceAll('\\u0000', '\\ufffd')) : content
}

function whatTheyTell(batch: readonly RunEvent[]): Record<string, unknown> {
  const told: Record<string, unknown> = {}
  for (const event of batch) {
    if (event.type === 'session') {
      told['session_id'] = event.sessionId
      if (event.model !== undefined) told['model'] = event.model
    } else if (event.type === 'usage') {
      Object.assign(told, usageColumns(event.usage))
      if (event.costUsd !== undefined) told['cost_usd'] = event.costUsd
    } else if (event.type === 'text') {
      const line = event.text.trim().split('\n').at(-1)
      if (line) told['last_line'] = line.replaceAll('\u0000', '').slice(0, 300)
    } else if (event.type === 'tool')
      told['last_line'] = `${event.name} ${event.input}`.replaceAll('\u0000', '').slice(0, 300)
  }
  return told
}

function usageColumns(usage: Usage): Record<string, number> {
  return {
    tokens_in: usage.input,
    tokens_out: usage.output,
    tokens_cache_read: usage.cacheRead,
    tokens_cache_write: usage.cacheWrite,
    tokens_reasoning: usage.reasoning,
  }
}

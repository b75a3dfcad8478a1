import type { Knex } from 'knex'
import type { RunEvent, Usage } from '../contracts/agent.ts'
import { storable } from '../contracts/storable.ts'
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
 * before anyone is shown them. The runner numbered the events; storing one twice changes nothing. `estimate`: of the
 * run's tokens after this batch.
 *
 * Batches of all runs that come while the last ones are being written share the next statement: a commit waits for the
 * disk, and commits that notify wait for each other, so one commit for each batch would make every agent wait for all.
 */
export function storeEvents(
  database: Database,
  runId: string,
  batch: readonly RunEvent[],
  estimate?: RunEstimate | undefined,
): Promise<void> {
  if (batch.length === 0) return Promise.resolve()
  const writer = writers.get(database) ?? createWriter(database)
  writers.set(database, writer)
  return writer(runId, batch, estimate)
}

/** Whether the agent said or did anything in one of these runs. */
export async function hasSpoken(knex: Knex, runIds: readonly string[]): Promise<boolean> {
  const entry = await knex('transcripts')
    .whereIn('run_id', runIds)
    .whereIn('role', ['agent', 'tool'])
    .first('run_id')
  return entry !== undefined
}

const READ_TOGETHER = 1000

/** A run's events as they were stored when its row was read, oldest first. */
export async function* storedEvents(
  knex: Knex,
  run: { id: string; last_seq: number },
): AsyncGenerator<RunEvent[]> {
  for (let seq = 0; seq < run.last_seq; ) {
    const rows: { seq: number; at: string; kind: RunEvent['type']; content: object }[] = await knex(
      'transcripts',
    )
      .where({ run_id: run.id })
      .whereBetween('seq', [seq + 1, run.last_seq])
      .orderBy('seq')
      .limit(READ_TOGETHER)
      .select('seq', 'at', 'kind', 'content')
    yield rows.map(
      ({ kind, content, ...line }) => ({ ...line, ...content, type: kind }) as RunEvent,
    )
    seq = rows.at(-1)?.seq ?? run.last_seq
  }
}

/** What the tokens of a run so far cost by list prices, and what the cache saved of that, in US dollars. */
export interface Estimate {
  costUsd: number
  cacheSavedUsd: number
}

/** What is not the agent's own word: prices where they are known, and the tokens that it has not told. */
export type RunEstimate = Partial<Estimate> & { tokens?: number }

type Writer = (
  runId: string,
  batch: readonly RunEvent[],
  estimate: RunEstimate | undefined,
) => Promise<void>

interface Waiting {
  runId: string
  batch: readonly RunEvent[]
  estimate: RunEstimate | undefined
  stored: () => void
  failed: (error: unknown) => void
}

const writers = new WeakMap<Database, Writer>()

/** Writes whatever waits, then whatever came meanwhile, without a timer. */
function createWriter(database: Database): Writer {
  let waiting: Waiting[] = []
  let busy = false

  async function drain(): Promise<void> {
    busy = true
    while (waiting.length > 0) {
      const together = waiting
      waiting = []
      await settle(database, together)
    }
    busy = false
  }

  return (runId, batch, estimate) =>
    new Promise((stored, failed) => {
      waiting.push({ runId, batch, estimate, stored, failed })
      if (!busy) void drain()
    })
}

/** One run whose events cannot be stored must not hold up the others: then each is written by itself. */
async function settle(database: Database, together: readonly Waiting[]): Promise<void> {
  try {
    await write(database, together)
    for (const one of together) one.stored()
  } catch (error) {
    const [only] = together
    if (together.length === 1) return only?.failed(error)
    for (const one of together) await settle(database, [one])
  }
}

/** One statement, so one round trip and one commit. */
async function write(database: Database, together: readonly Waiting[]): Promise<void> {
  const rows = together.flatMap(({ runId, batch }) =>
    batch.map((event) => {
      const { seq, at, type, ...content } = event
      return { run_id: runId, seq, at, role: roleOf(event), kind: type, content: storable(content) }
    }),
  )
  const runs = new Map<string, { last_seq: number } & Record<string, unknown>>()
  for (const { runId, batch, estimate } of together) {
    const before = runs.get(runId)
    const last_seq = batch.at(-1)?.seq ?? 0
    // one that was overtaken says nothing new, as in the statement
    if (before && last_seq <= before.last_seq) continue
    runs.set(runId, { ...before, ...whatTheyTell(batch, estimate), last_seq })
  }
  const told = [...runs].map(([id, values]) => ({ id, ...values }))
  const bindings = {
    rows: JSON.stringify(rows),
    runs: JSON.stringify(told),
    channel: TRANSCRIPTS_CHANNEL,
  }
  await database.knex.raw(STORE, bindings).options({ name: 'store-events' })
}

const TOLD = ['session_id', 'model', 'last_line'] as const
/** A price is of the tokens that it came with: with more tokens and without a price, it is unknown again. */
const PRICES = ['cost_usd', 'cost_estimate_usd', 'cache_saved_usd'] as const
const TOKENS = [
  'tokens_in',
  'tokens_out',
  'tokens_cache_read',
  'tokens_cache_write',
  'tokens_reasoning',
  'tokens_estimated',
] as const

/**
 * What a worker that stood still tells late, after another one went on with the run, would set its counts back:
 * a run's row is told only what is newer than it is.
 */
const STORE = `
with told as (
  select * from jsonb_to_recordset(cast(:runs as jsonb)) as t(id uuid, last_seq bigint, session_id text, model text,
    last_line text, ${PRICES.map((name) => `${name} numeric`).join(', ')}, ${TOKENS.map((name) => `${name} bigint`).join(', ')})
), stored as (
  insert into transcripts(run_id, seq, at, role, kind, content)
  select run_id, seq, at, role, kind, content from jsonb_to_recordset(cast(:rows as jsonb))
    as t(run_id uuid, seq bigint, at timestamptz, role text, kind text, content jsonb)
  on conflict do nothing
), updated as (
  update agent_runs r set last_seq = told.last_seq,
    ${PRICES.map((name) => `${name} = case when told.tokens_in is null then r.${name} else told.${name} end`).join(', ')},
    ${[...TOLD, ...TOKENS].map((name) => `${name} = coalesce(told.${name}, r.${name})`).join(', ')}
  from told where r.id = told.id and told.last_seq > r.last_seq
)
select pg_notify(:channel, id::text) from told`

function whatTheyTell(
  batch: readonly RunEvent[],
  estimate: RunEstimate | undefined,
): Record<string, unknown> {
  const told: Record<string, unknown> = {}
  if (estimate?.tokens !== undefined) told['tokens_estimated'] = estimate.tokens
  for (const event of batch) {
    if (event.type === 'session') {
      told['session_id'] = event.sessionId
      if (event.model !== undefined) told['model'] = event.model
    } else if (event.type === 'usage') {
      Object.assign(told, usageColumns(event.usage))
      told['cost_usd'] = event.costUsd ?? null
      told['cost_estimate_usd'] = estimate?.costUsd ?? null
      told['cache_saved_usd'] = estimate?.cacheSavedUsd ?? null
    } else if (event.type === 'text') {
      const line = event.text.trim().split('\n').at(-1)
      if (line) told['last_line'] = lastLine(line)
    } else if (event.type === 'tool') told['last_line'] = lastLine(`${event.name} ${event.input}`)
  }
  return told
}

const lastLine = (text: string) => storable(text.replaceAll('\u0000', '').slice(0, 300))

function usageColumns(usage: Usage): Record<string, number> {
  return {
    tokens_in: usage.input,
    tokens_out: usage.output,
    tokens_cache_read: usage.cacheRead,
    tokens_cache_write: usage.cacheWrite,
    tokens_reasoning: usage.reasoning,
  }
}

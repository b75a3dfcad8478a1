import { type RunEvent, type TerminalEvent, totalTokens, type Usage } from '../contracts/agent.ts'
import { noteCorrections } from '../db/corrections.ts'
import { endSegment, type RunRow, readRun } from '../db/runs.ts'
import { type Estimate, storedEvents, storeEvents } from '../db/transcripts.ts'
import { createTokenEstimate } from '../domain/token-estimate.ts'
import { RunnerLost } from '../runner/runner.ts'
import type { ActivityDeps } from './deps.ts'
import { guessedUntil } from './limit-pause.ts'
import { createPriceMeter } from './price-meter.ts'

type RecordDeps = Pick<ActivityDeps, 'runner' | 'database'>

export const isTerminal = (event: RunEvent): event is RunEvent & TerminalEvent =>
  event.type === 'done' || event.type === 'failed'

/**
 * Stores what a run tells, batch by batch from where its row stands, with what it costs and what its agent did not tell. Answers with
 * all tokens of the run so far; nothing is stored of an empty batch.
 */
export async function createEventStore({ runner, database }: RecordDeps, run: RunRow) {
  const estimate = createTokenEstimate(await runner.prompt(run.id))
  for await (const batch of storedEvents(database.knex, run)) estimate(batch)
  const prices = priceOf(run)
  let told = totalTokens(usageOf(run))
  return async (batch: readonly RunEvent[]): Promise<number> => {
    await noteCorrections(database, run, batch)
    const tokens = estimate(batch)
    await storeEvents(database, run.id, batch, { ...(await prices(batch)), tokens })
    const count = batch.findLast((event) => event.type === 'usage')
    if (count) told = totalTokens(count.usage)
    return told + tokens
  }
}

/** Records how a run ended by its own word. `asked`: somebody wanted it to stop. */
export async function recordEnd(
  deps: RecordDeps,
  run: RunRow,
  { terminal, asked }: { terminal: TerminalEvent; asked: boolean },
): Promise<void> {
  const { database } = deps
  if (terminal.type === 'done')
    return void (await endSegment(database, run, { status: 'done', terminal }))
  const interrupted = terminal.reason === 'interrupted'
  // from what is stored, not from what this worker saw: another one may have interrupted the run
  const { budget_stop } = await readRun(database.knex, run.id)
  if (interrupted && budget_stop !== null)
    return void (await endSegment(database, run, {
      status: 'interrupted',
      terminal,
      reason: 'budget',
    }))
  // an interruption that nobody asked for (the dead-man switch, a stray signal) is resumed like a crash
  const status = interrupted && asked ? 'interrupted' : 'failed'
  const guessed = await guessedUntil(deps, run, terminal)
  await endSegment(database, run, {
    status,
    terminal,
    ...(guessed === undefined ? {} : { guessedUntil: guessed }),
    ...(interrupted && !asked ? { reason: 'crash' } : {}),
  })
}

/**
 * Ends runs that nobody follows any more: their processes, then their rows, with all that they told before, an answer included, because it
 * is paid for. `detail`: why, for the record of one that did not end by itself.
 */
export async function endRuns(
  deps: RecordDeps,
  runs: readonly RunRow[],
  detail: string,
): Promise<void> {
  for (const run of runs) {
    await deps.runner.reap(run.id)
    const told = await storeRest(deps, run)
    const terminal = told ?? ({ type: 'failed', reason: 'interrupted', detail } as const)
    await recordEnd(deps, run, { terminal, asked: true })
  }
}

/** Stores what a reaped run had told and nobody stored; how it ended, where it says so. */
async function storeRest(deps: RecordDeps, run: RunRow): Promise<TerminalEvent | undefined> {
  const { runner } = deps
  if ((await runner.state(run.id)) === 'absent') return undefined
  const store = await createEventStore(deps, run)
  let terminal: TerminalEvent | undefined
  try {
    for await (const batch of runner.attach(run.id, { afterSeq: run.last_seq })) {
      await store(batch)
      terminal = batch.find(isTerminal) ?? terminal
    }
  } catch (error) {
    if (!(error instanceof RunnerLost)) throw error
  }
  return terminal ?? (await runner.exit(run.id))?.terminal
}

const usageOf = (run: RunRow): Usage => ({
  input: run.tokens_in,
  output: run.tokens_out,
  cacheRead: run.tokens_cache_read,
  cacheWrite: run.tokens_cache_write,
  reasoning: run.tokens_reasoning,
})

/** What a run costs by list prices, batch by batch, from where an earlier worker stood. */
function priceOf(run: RunRow) {
  const { cost_estimate_usd: costUsd, cache_saved_usd: saved } = run
  const before =
    costUsd === null
      ? undefined
      : { usage: usageOf(run), estimate: { costUsd, cacheSavedUsd: saved ?? 0 } }
  const meter = createPriceMeter(run.adapter, before)
  let model = run.model
  return async (batch: readonly RunEvent[]) => {
    let estimate: Estimate | undefined
    for (const event of batch) {
      if (event.type === 'session') model = event.model ?? model
      if (event.type === 'usage') estimate = await meter.estimate(event.usage, model)
    }
    return estimate
  }
}

import type { Knex } from 'knex'
import { NO_USAGE } from '../../contracts/agent.ts'
import type { UsageTotals } from '../../contracts/schemas.ts'
import { COST, IS_UNCOUNTED, IS_UNPRICED, TOLD_TOKENS } from '../run-tokens.ts'

/** What nothing has cost yet. */
export const ZERO_USAGE: UsageTotals = {
  ...NO_USAGE,
  total: 0,
  costUsd: 0,
  knownUsd: 0,
  estimatedUsd: 0,
  unpricedRuns: 0,
  uncountedRuns: 0,
  estimatedTokens: 0,
}

/** Sums of `agent_runs r` as one jsonb `usage`. The cost is null as soon as one run's is unknown: unknown is not zero. */
export const USAGE_SUM = `jsonb_build_object(
  'input', coalesce(sum(r.tokens_in), 0),
  'output', coalesce(sum(r.tokens_out), 0),
  'cacheRead', coalesce(sum(r.tokens_cache_read), 0),
  'cacheWrite', coalesce(sum(r.tokens_cache_write), 0),
  'reasoning', coalesce(sum(r.tokens_reasoning), 0),
  'total', coalesce(sum${TOLD_TOKENS}, 0),
  'costUsd', case when bool_or(${IS_UNPRICED}) then null else coalesce(sum(${COST}), 0) end,
  'knownUsd', coalesce(sum(${COST}), 0),
  'estimatedUsd', coalesce(sum(r.cost_estimate_usd) filter (where r.cost_usd is null), 0),
  'unpricedRuns', count(*) filter (where ${IS_UNPRICED}),
  'uncountedRuns', count(*) filter (where ${IS_UNCOUNTED}),
  'estimatedTokens', coalesce(sum(r.tokens_estimated), 0)
)`

/** Usage of several owners in one query; owners without a run are absent from the map. */
export async function usageBy(
  knex: Knex,
  column: 'goal_id' | 'task_id' | 'id',
  ids: readonly string[],
): Promise<Map<string, UsageTotals>> {
  if (ids.length === 0) return new Map()
  const rows = await knex('agent_runs as r')
    .whereIn(`r.${column}`, ids)
    .groupBy(`r.${column}`)
    .select({ id: `r.${column}` }, knex.raw(`${USAGE_SUM} as usage`))
  return new Map(rows.map((row: { id: string; usage: UsageTotals }) => [row.id, row.usage]))
}

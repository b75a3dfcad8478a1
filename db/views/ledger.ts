import type { Knex } from 'knex'
import type { LedgerRow, UsageTotals } from '../../contracts/schemas.ts'
import { USAGE_SUM } from './usage.ts'

/** What the rows are grouped by: SQL over runs `r`, goals `g`, tasks `t`, projects `p`. */
const KEYS = {
  goal: `'G-' || g.number`,
  task: `coalesce('T-' || t.number, 'none')`,
  run: `'A-' || r.number`,
  adapter: 'r.adapter',
  model: `coalesce(r.model, 'unknown')`,
  project: 'p.name',
  stage: 'r.stage',
  day: `to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD')`,
} as const
export type LedgerKey = keyof typeof KEYS

/** Tokens and cost by key, the biggest first, with the sum over all. Times bound when a run was asked for. */
export async function readLedger(
  knex: Knex,
  query: { by: LedgerKey; from?: string | undefined; to?: string | undefined },
): Promise<{ rows: LedgerRow[]; total: UsageTotals }> {
  const runs = () =>
    knex('agent_runs as r')
      .join('goals as g', 'g.id', 'r.goal_id')
      .join('projects as p', 'p.id', 'g.project_id')
      .leftJoin('tasks as t', 't.id', 'r.task_id')
      .modify((q) => {
        if (query.from) q.where('r.created_at', '>=', query.from)
        if (query.to) q.where('r.created_at', '<', query.to)
      })
  const [rows, total] = await Promise.all([
    runs()
      .select(knex.raw(`${KEYS[query.by]} as key, count(*)::int as runs, ${USAGE_SUM} as usage`))
      .groupByRaw('1')
      .orderByRaw(
        `sum(r.tokens_in + r.tokens_out + r.tokens_cache_read + r.tokens_cache_write) desc, 1`,
      )
      .limit(1000),
    runs().first(knex.raw(`${USAGE_SUM} as usage`)),
  ])
  return { rows: rows as unknown as LedgerRow[], total: total?.usage }
}

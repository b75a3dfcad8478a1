import type { Knex } from 'knex'
import {
  cacheHitRatio,
  isLowCache,
  type LedgerGroup,
  type LedgerOrder,
} from '../../contracts/ledger.ts'
import type { LedgerRow, LedgerUsage, UsageTotals } from '../../contracts/schemas.ts'
import { isRefusal, type Refusal, refuse } from '../refusal.ts'
import { resolveId } from '../resolve.ts'
import { COST, TOLD_TOKENS } from '../run-tokens.ts'
import { USAGE_SUM } from './usage.ts'

/** What the rows are grouped by, and their names: SQL over runs `r`, goals `g`, tasks `t`, projects `p`. */
const GROUPS: Readonly<Record<LedgerGroup, { key: string; label: string }>> = {
  goal: { key: `'G-' || g.number`, label: 'g.title' },
  task: { key: `coalesce('T-' || t.number, 'none')`, label: `coalesce(t.title, 'no task')` },
  run: { key: `'A-' || r.number`, label: 'g.title' },
  project: { key: `'P-' || p.number`, label: 'p.name' },
  adapter: { key: 'r.adapter', label: 'null::text' },
  model: { key: `coalesce(r.model, 'unknown')`, label: 'null::text' },
  stage: { key: 'r.stage', label: 'null::text' },
  day: { key: `to_char(r.created_at at time zone :zone, 'YYYY-MM-DD')`, label: 'null::text' },
}

export interface LedgerQuery {
  by: LedgerGroup
  order: LedgerOrder
  /** Times bound when a run was asked for. */
  from?: string | undefined
  to?: string | undefined
  goal?: string | undefined
  project?: string | undefined
  zone: string
  limit: number
  cursor?: string | undefined
}

interface Ledger {
  items: LedgerRow[]
  next: string | null
  total: LedgerUsage
}

/** What a group's sum is ordered by, and its key: where the next page begins. */
interface Place {
  rank: number
  key: string
}

/** Whole numbers, of which a cursor can be made: tokens, or millionths of a dollar. */
const RANKS: Readonly<Record<LedgerOrder, string>> = {
  tokens: `coalesce(sum${TOLD_TOKENS}, 0)::bigint`,
  cost: `round(coalesce(sum(${COST}), 0) * 1000000)::bigint`,
}

interface SumRow {
  usage: UsageTotals
  runs: number
  saved: number | null
}

const SUMS = `count(*)::int as runs, ${USAGE_SUM} as usage,
  sum(r.cache_saved_usd) as saved`

/** Tokens and cost by group, in the order asked for (days: the newest first), with the sum over all of them. */
export async function readLedger(knex: Knex, query: LedgerQuery): Promise<Ledger | Refusal> {
  const after = placeOf(query)
  if (isRefusal(after)) return after
  const goal = query.goal === undefined ? undefined : await resolveId(knex, 'goal', query.goal)
  if (isRefusal(goal)) return goal
  const project =
    query.project === undefined ? undefined : await resolveId(knex, 'project', query.project)
  if (isRefusal(project)) return project
  const { from, to, zone } = query
  const range = { from, to, zone, goalId: goal?.id, projectId: project?.id }
  const [rows, total] = await Promise.all([
    groupsOf(knex, { ...query, ...range, after }),
    sumOf(knex, range),
  ])
  const shown = rows.slice(0, query.limit)
  const last = shown.at(-1)
  return {
    items: shown.map(({ key, label, ...sums }) => ({ key, label, usage: toUsage(sums) })),
    next: last && rows.length > query.limit ? cursorOf(query, last) : null,
    total,
  }
}

interface Range {
  /** Times, or days of `zone`. */
  from?: string | undefined
  to?: string | undefined
  goalId?: string | undefined
  projectId?: string | undefined
  zone?: string | undefined
}

/** The sum over all runs in the range. */
export async function sumOf(knex: Knex, range: Range): Promise<LedgerUsage> {
  const { where, bindings } = conditions(range)
  const { rows } = await knex.raw(`select ${SUMS} ${FROM} where ${where}`, bindings)
  return toUsage(rows[0])
}

const FROM = `from agent_runs r join goals g on g.id = r.goal_id join projects p on p.id = g.project_id
  left join tasks t on t.id = r.task_id`

async function groupsOf(
  knex: Knex,
  query: Range & {
    by: LedgerGroup
    order: LedgerOrder
    zone: string
    limit: number
    after: Place | undefined
  },
): Promise<(SumRow & Place & { label: string | null })[]> {
  const { key, label } = GROUPS[query.by]
  const { where, bindings } = conditions(query)
  const rank = query.by === 'day' ? '0::bigint' : RANKS[query.order]
  const { rows } = await knex.raw(
    `select * from (
       select ${key} as key, min(${label}) as label, ${rank} as rank, ${SUMS} ${FROM} where ${where} group by 1
     ) as groups
     where ${query.after ? '(rank, key collate "C") < (:rank, :key)' : 'true'}
     order by rank desc, key collate "C" desc limit :limit`,
    { ...bindings, ...query.after, zone: query.zone, limit: query.limit + 1 },
  )
  return rows
}

/** Values that are absent are null, and hold nothing back. */
function conditions(range: Range) {
  const bindings = {
    zone: range.zone ?? 'UTC',
    from: range.from ?? null,
    to: range.to ?? null,
    goal: range.goalId ?? null,
    project: range.projectId ?? null,
  }
  const limits = [
    ...(range.from ? [`r.created_at >= ${instant(':from', range.from)}`] : []),
    ...(range.to ? [`r.created_at < ${instant(':to', range.to)}`] : []),
    ...(range.goalId ? ['r.goal_id = :goal'] : []),
    ...(range.projectId ? ['g.project_id = :project'] : []),
  ]
  return { where: limits.length > 0 ? limits.join(' and ') : 'true', bindings }
}

/** A day begins at midnight of the zone. */
const instant = (name: string, value: string) =>
  /^\d{4}-\d{2}-\d{2}$/.test(value) ? `(${name}::timestamp at time zone :zone)` : name

const toUsage = ({ usage, runs, saved }: SumRow): LedgerUsage => ({
  ...usage,
  runs,
  cacheHitRatio: cacheHitRatio(usage),
  lowCache: isLowCache(usage),
  cacheSavedUsd: saved,
})

type Rows = Pick<LedgerQuery, 'by' | 'order' | 'cursor'>

const cursorOf = ({ by, order }: Rows, { rank, key }: Place) =>
  Buffer.from(JSON.stringify([by, order, Number(rank), key])).toString('base64url')

/** A place among rows in another order is none. */
function placeOf({ by, order, cursor }: Rows): Place | undefined | Refusal {
  if (cursor === undefined) return undefined
  const bad = refuse('bad_cursor', 'The cursor is not of these rows in this order.', {
    advice: 'Start again without a cursor.',
  })
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'))
    if (!Array.isArray(value) || value.length !== 4) return bad
    const [ofGroup, inOrder, rank, key] = value
    if (ofGroup !== by || inOrder !== order) return bad
    if (!Number.isSafeInteger(rank) || typeof key !== 'string' || key.includes('\u0000')) return bad
    return { rank, key }
  } catch {
    return bad // not JSON: somebody made it up
  }
}

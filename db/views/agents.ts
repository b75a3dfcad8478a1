import type { Knex } from 'knex'
import { shortId } from '../../contracts/ids.ts'
import type {
  AdapterInfo,
  AgentRun,
  AgentRunDetail,
  TranscriptEntry,
} from '../../contracts/schemas.ts'
import { listCorrections } from '../corrections.ts'
import { decodeCursor, type Page, type PageQuery, toPage } from '../page.ts'
import { isRefusal, type Refusal } from '../refusal.ts'
import { resolveId } from '../resolve.ts'

interface RunRow {
  id: string
  number: number
  goal_id: string
  goal_number: number
  task_id: string | null
  stage: AgentRun['stage']
  attempt: number
  segment: number
  adapter: string
  model: string | null
  host: string
  session_id: string | null
  status: AgentRun['status']
  exit_reason: AgentRun['exitReason']
  exit_detail: string | null
  tokens_in: number
  tokens_out: number
  tokens_cache_read: number
  tokens_cache_write: number
  tokens_reasoning: number
  cost_usd: number | null
  last_line: string | null
  started_at: string | null
  ended_at: string | null
}

const runRows = (knex: Knex): Knex.QueryBuilder =>
  knex('agent_runs as r')
    .join('goals as g', 'g.id', 'r.goal_id')
    .select('r.*', { goal_number: 'g.number' })

const toRun = (row: RunRow): AgentRun => ({
  id: row.id,
  shortId: shortId('run', row.number),
  goalId: row.goal_id,
  goalShortId: shortId('goal', row.goal_number),
  taskId: row.task_id,
  stage: row.stage,
  attempt: row.attempt,
  segment: row.segment,
  adapter: row.adapter,
  model: row.model,
  demo: row.adapter === 'demo',
  host: row.host,
  sessionId: row.session_id,
  status: row.status,
  exitReason: row.exit_reason,
  exitDetail: row.exit_detail,
  usage: {
    input: row.tokens_in,
    output: row.tokens_out,
    cacheRead: row.tokens_cache_read,
    cacheWrite: row.tokens_cache_write,
    reasoning: row.tokens_reasoning,
    total: row.tokens_in + row.tokens_out + row.tokens_cache_read + row.tokens_cache_write,
    costUsd: row.cost_usd,
  },
  lastLine: row.last_line,
  startedAt: row.started_at,
  endedAt: row.ended_at,
})

/** Agent runs, newest first. */
export async function listAgents(
  knex: Knex,
  query: PageQuery & {
    status?: string | undefined
    goal?: string | undefined
    task?: string | undefined
  },
): Promise<Page<AgentRun> | Refusal> {
  const after = decodeCursor(query.cursor)
  if (isRefusal(after)) return after
  const goal = query.goal === undefined ? undefined : await resolveId(knex, 'goal', query.goal)
  if (isRefusal(goal)) return goal
  const task = query.task === undefined ? undefined : await resolveId(knex, 'task', query.task)
  if (isRefusal(task)) return task
  const rows: RunRow[] = await runRows(knex)
    .modify((q) => {
      if (after) q.where('r.id', '<', after.id)
      if (query.status) q.where('r.status', query.status)
      if (goal) q.where('r.goal_id', goal.id)
      if (task) q.where('r.task_id', task.id)
    })
    .orderBy('r.id', 'desc')
    .limit(query.limit + 1)
  return toPage(rows, query.limit, {
    item: toRun,
    position: (row) => ({ rank: 0, id: row.id }),
  })
}

export async function agentDetail(knex: Knex, id: string): Promise<AgentRunDetail> {
  const [row, corrections] = await Promise.all([
    runRows(knex).where('r.id', id).first(),
    listCorrections(knex, id),
  ])
  return { ...toRun(row), corrections }
}

/** What a run said and did after a seq. `next` is the seq to go on after. */
export async function readTranscript(
  knex: Knex,
  runId: string,
  query: { after: number; limit: number },
): Promise<Page<TranscriptEntry>> {
  const items: TranscriptEntry[] = await knex('transcripts')
    .where({ run_id: runId })
    .where('seq', '>', query.after)
    .orderBy('seq')
    .limit(query.limit)
    .select('seq', 'at', 'role', 'kind', 'content')
  const last = items.at(-1)
  return { items, next: last && items.length === query.limit ? String(last.seq) : null }
}

/** Agents as the last detection found them. */
export async function listAdapters(knex: Knex): Promise<AdapterInfo[]> {
  const rows: { detection: Partial<AdapterInfo> & { adapter: string }; detected_at: string }[] =
    await knex('adapters').orderBy('adapter')
  return rows.map(({ detection, detected_at }) => ({
    adapter: detection.adapter,
    title: detection.title ?? detection.adapter,
    found: detection.found ?? false,
    version: detection.version ?? null,
    binary: detection.binary ?? null,
    login: detection.login ?? 'unknown',
    demo: detection.demo ?? false,
    advice: detection.advice ?? null,
    detectedAt: detected_at,
  }))
}

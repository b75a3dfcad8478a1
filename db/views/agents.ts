import type { Knex } from 'knex'
import type { Detection } from '../../contracts/agent.ts'
import { shortId } from '../../contracts/ids.ts'
import type {
  AdapterInfo,
  AgentRun,
  AgentRunDetail,
  TranscriptEntry,
  UsageTotals,
} from '../../contracts/schemas.ts'
import { askAll } from '../ask-all.ts'
import { listCorrections } from '../corrections.ts'
import { decodeCursor, type Page, type PageQuery, toPage } from '../page.ts'
import { isRefusal, type Refusal } from '../refusal.ts'
import { resolveId } from '../resolve.ts'
import { pageOfEntries } from '../transcript-reader.ts'
import { USAGE_SUM } from './usage.ts'

interface RunRow {
  id: string
  number: number
  goal_id: string
  goal_number: number
  goal_title: string
  task_id: string | null
  task_number: number | null
  task_title: string | null
  stage: AgentRun['stage']
  attempt: number
  segment: number
  adapter: string
  model: string | null
  session_id: string | null
  opinion: number
  status: AgentRun['status']
  exit_reason: AgentRun['exitReason']
  exit_detail: string | null
  usage: UsageTotals
  last_line: string | null
  output: { text: string; output?: Record<string, unknown> } | null
  last_seq: number
  stopped_by: string | null
  started_at: string | null
  ended_at: string | null
}

const runRows = (knex: Knex): Knex.QueryBuilder =>
  knex('agent_runs as r')
    .join('goals as g', 'g.id', 'r.goal_id')
    .leftJoin('tasks as t', 't.id', 'r.task_id')
    .select('r.*', { goal_number: 'g.number', goal_title: 'g.title' })
    .select({ task_number: 't.number', task_title: 't.title' })
    .select(knex.raw(`(select ${USAGE_SUM} from (select r.*) as r) as usage`))

const toRun = (row: RunRow): AgentRun => ({
  id: row.id,
  shortId: shortId('run', row.number),
  goalId: row.goal_id,
  goalShortId: shortId('goal', row.goal_number),
  goalTitle: row.goal_title,
  taskId: row.task_id,
  taskShortId: row.task_number === null ? null : shortId('task', row.task_number),
  taskTitle: row.task_title,
  stage: row.stage,
  attempt: row.attempt,
  segment: row.segment,
  adapter: row.adapter,
  model: row.model,
  demo: row.adapter === 'demo',
  sessionId: row.session_id,
  opinion: row.opinion,
  status: row.status,
  exitReason: row.exit_reason,
  exitDetail: row.exit_detail,
  usage: row.usage,
  lastLine: answerLine(row) ?? row.last_line,
  lastSeq: row.last_seq,
  stoppedBy: row.stopped_by,
  startedAt: row.started_at,
  endedAt: row.ended_at,
})

/** What a run answered in the end says more than the last piece of a word that came. An answer in a shape has its summary for words. */
function answerLine({ output, stage }: RunRow): string | undefined {
  if (!output) return undefined
  const inShape = /^\s*(?:[{[]|```)/.test(output.text)
  const said = inShape ? (output.output?.['summary'] ?? ANSWERS[stage]) : output.text
  const lines = String(said ?? '').split('\n')
  return lines
    .find((one) => one.trim() !== '')
    ?.trim()
    .slice(0, 300)
}

const ANSWERS: Partial<Record<AgentRun['stage'], string>> = {
  test_spec: 'Answered with its test cases.',
  security_spec: 'Answered with its security items.',
  verify: 'Answered with its verdicts.',
}

/** Whatever of a run a list shows in words. */
const SHOWN_WORDS = `concat_ws(' ', 'A-' || r.number, 'G-' || g.number, g.title, 'T-' || t.number, t.title,
  replace(r.stage, '_', ' '), r.adapter, r.model, coalesce(r.output->'output'->>'summary', r.output->>'text', r.last_line))`

/** Agent runs, newest first. */
export async function listAgents(
  knex: Knex,
  query: PageQuery & {
    status?: string | undefined
    state?: 'live' | 'over' | undefined
    adapter?: string | undefined
    goal?: string | undefined
    task?: string | undefined
    words?: string | undefined
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
      if (query.state === 'live') q.where('r.status', 'running')
      if (query.state === 'over') q.whereNot('r.status', 'running')
      if (query.adapter) q.where('r.adapter', query.adapter)
      if (goal) q.where('r.goal_id', goal.id)
      if (task) q.where('r.task_id', task.id)
      for (const word of query.words?.split(/\s+/).filter(Boolean) ?? [])
        q.whereRaw(`position(lower(?) in lower(${SHOWN_WORDS})) > 0`, [word])
    })
    .orderBy('r.id', 'desc')
    .limit(query.limit + 1)
  return toPage(rows, query.limit, {
    item: toRun,
    position: (row) => ({ rank: 0, id: row.id }),
  })
}

export async function agentDetail(knex: Knex, id: string): Promise<AgentRunDetail> {
  const [row, corrections] = await askAll(knex, [
    () => runRows(knex).where('r.id', id).first(),
    () => listCorrections(knex, id),
  ])
  return { ...toRun(row), corrections }
}

interface TranscriptQuery {
  after: number
  before?: number | undefined
  kind?: string | undefined
  limit: number
}

/**
 * What a run said and did, oldest first: after a seq, or the last ones before one; fewer than `limit` where they are long. `next` is the
 * seq to go on after, or before; null when there are no more.
 */
export async function readTranscript(
  knex: Knex,
  runId: string,
  query: TranscriptQuery,
): Promise<Page<TranscriptEntry>> {
  const { after, before, kind, limit } = query
  const where = [
    'run_id = :runId and seq > :after',
    ...(before === undefined ? [] : ['seq < :before']),
    ...(kind === undefined ? [] : ['kind = :kind']),
  ].join(' and ')
  const order = before === undefined ? 'asc' : 'desc'
  const bindings = { runId, after, before: before ?? null, kind: kind ?? null, limit }
  const { rows } = await knex.raw(pageOfEntries({ where, order, limit: ':limit' }), bindings)
  const read: number = rows[0]?.read ?? 0
  const edge = rows.at(-1)
  const more = read === limit || read > rows.length
  const items: TranscriptEntry[] = rows.map(({ read: _, ...entry }: TranscriptRow) => entry)
  return {
    items: before === undefined ? items : items.reverse(),
    next: more ? String(edge.seq) : null,
  }
}

type TranscriptRow = TranscriptEntry & { read: number }

/** Agents as the last detection found them. */
export async function listAdapters(knex: Knex): Promise<AdapterInfo[]> {
  const rows: { detection: Partial<Detection> & { adapter: string }; detected_at: string }[] =
    await knex('adapters').orderBy('adapter')
  return rows.map(({ detection, detected_at }) => ({
    adapter: detection.adapter,
    title: detection.title ?? detection.adapter,
    found: detection.found ?? false,
    version: detection.version ?? null,
    binary: detection.binary ?? null,
    realpath: detection.realpath ?? null,
    place: detection.place ?? null,
    owner: detection.owner ?? null,
    capabilities: [...(detection.capabilities ?? [])],
    others: (detection.others ?? []).map((copy) => ({ ...copy, version: copy.version ?? null })),
    login: detection.login ?? 'unknown',
    demo: detection.demo ?? false,
    advice: detection.advice ?? null,
    detectedAt: detected_at,
  }))
}

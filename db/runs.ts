import type { Knex } from 'knex'
import type { FailureReason, TerminalEvent } from '../contracts/agent.ts'
import { goalStream, shortId } from '../contracts/ids.ts'
import type { Database, Tx } from './connect.ts'
import type { EmittedEvent } from './events.ts'
import { type Refusal, refuse } from './refusal.ts'
import { IS_UNCOUNTED, TOLD_TOKENS } from './run-tokens.ts'
import type { StageKey } from './stages.ts'

export type RunStatus = 'running' | 'done' | 'failed' | 'interrupted' | 'lost'
/** Why a segment was started: a stage attempt is one session, continued by resumes and repairs of its answer. */
export type RunPurpose = 'start' | 'resume' | 'repair'

/** 1: the stage's own agent. 2: another one's, after verify. */
export type Opinion = 1 | 2

export interface RunRow {
  id: string
  number: number
  goal_id: string
  task_id: string | null
  stage: string
  attempt: number
  segment: number
  opinion: Opinion
  purpose: RunPurpose
  adapter: string
  model: string | null
  session_id: string | null
  status: RunStatus
  exit_reason: FailureReason | null
  exit_detail: string | null
  until_at: string | null
  /** The provider named no time: Dispatch chose `until_at`. */
  until_guessed: boolean
  output: { text: string; output?: unknown } | null
  last_seq: number
  tokens_in: number
  tokens_out: number
  tokens_cache_read: number
  tokens_cache_write: number
  tokens_reasoning: number
  /** Of those that its agent has not told. */
  tokens_estimated: number
  cost_estimate_usd: number | null
  cache_saved_usd: number | null
  /** Tokens of its budgets that are set aside for it; 0 where no budget applies. */
  tokens_reserved: number
  /** The budget that ended it before it answered. */
  budget_stop: string | null
  created_at: string
  ended_at: string | null
  /** Who asked that it ends: `person:<name>`. */
  stopped_by: string | null
}

const where = (key: StageKey) => ({
  goal_id: key.goalId,
  task_id: key.taskId,
  stage: key.stage,
  attempt: key.attempt,
})

/** The segments of a stage attempt, oldest first; of all agents in it, or of the one that gives this opinion. */
export async function listSegments(
  knex: Knex,
  key: StageKey,
  opinion?: Opinion,
): Promise<RunRow[]> {
  return knex('agent_runs')
    .where({ ...where(key), ...(opinion === undefined ? {} : { opinion }) })
    .orderBy('segment')
}

/** A run as it is now. */
export async function readRun(knex: Knex, id: string): Promise<RunRow> {
  return knex('agent_runs').where({ id }).first()
}

/** The runs of earlier attempts of the same stage that are not over in Postgres. */
export async function listEarlierLiveRuns(knex: Knex, key: StageKey): Promise<RunRow[]> {
  const { attempt, ...stage } = where(key)
  return knex('agent_runs')
    .where(stage)
    .where('attempt', '<', attempt)
    .where('status', 'running')
    .orderBy('id')
}

/** Makes the row of the next segment before anything is started; the same segment again is the same row. */
export async function createSegment(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  { key, ...segment }: NewSegment,
): Promise<RunRow> {
  const inserted = await tx('agent_runs')
    .insert({
      ...where(key),
      segment: segment.segment,
      opinion: segment.opinion,
      purpose: segment.purpose,
      adapter: segment.adapter,
      model: segment.model,
      session_id: segment.sessionId,
      tokens_reserved: segment.tokensReserved,
      status: 'running',
      started_at: tx.fn.now(),
    })
    .onConflict(tx.raw('(goal_id, task_id, stage, attempt, segment)') as never)
    .ignore()
    .returning('*')
  const row: RunRow =
    inserted[0] ??
    (await tx('agent_runs')
      .where({ ...where(key), segment: segment.segment })
      .first())
  if (inserted[0]) emit(await runEvent(tx, row))
  return row
}

export interface NewSegment {
  key: StageKey
  segment: number
  opinion: Opinion
  purpose: RunPurpose
  adapter: string
  model: string | null
  sessionId: string | null
  /** 0 where no budget applies. */
  tokensReserved: number
}

/** Records how a segment ended, once; later answers about the same segment change nothing. */
export async function endSegment(
  database: Database,
  run: RunRow,
  end: {
    status: RunStatus
    terminal: TerminalEvent
    reason?: FailureReason
    /** Until when Dispatch leaves the agent alone where its provider named no time. */
    guessedUntil?: string
  },
): Promise<RunRow> {
  return database.change(async (tx, emit) => {
    const { terminal } = end
    const failed = terminal.type === 'failed' ? terminal : undefined
    const rows = await tx('agent_runs')
      .where({ id: run.id })
      .where('status', 'running')
      .update({
        status: end.status,
        exit_reason: end.reason ?? failed?.reason ?? null,
        exit_detail: failed?.detail.slice(0, 4000) ?? null,
        until_at: failed?.until ?? end.guessedUntil ?? null,
        until_guessed: end.guessedUntil !== undefined,
        output:
          terminal.type === 'done'
            ? JSON.stringify({ text: terminal.text, output: terminal.output })
            : null,
        ended_at: tx.fn.now(),
      })
      .returning('*')
    if (rows[0]) emit(await runEvent(tx, rows[0]))
    return rows[0] ?? (await tx('agent_runs').where({ id: run.id }).first())
  })
}

/** Says that runs are asked to end; the payload is the run's id. Only a hint: workers look by themselves too. */
export const STOPS_CHANNEL = 'dispatch_stops'

/** Notes that a person wants this run to end; a worker interrupts its agent. Asked again, nothing changes. */
export async function stopRun(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  input: { runId: string; actor: string },
): Promise<Refusal | undefined> {
  const run: RunRow = await tx('agent_runs').where({ id: input.runId }).forUpdate().first()
  if (run.status !== 'running')
    return refuse('wrong_state', `${shortId('run', run.number)} is over (${run.status}).`, {
      advice: 'Nothing needs to be stopped. To end the whole goal, cancel it.',
      current: { status: run.status },
    })
  if (run.stopped_by !== null) return undefined
  await tx('agent_runs').where({ id: run.id }).update({ stopped_by: input.actor })
  emit({ ...(await runEvent(tx, run)), actor: input.actor })
  await tx.raw('select pg_notify(?, ?)', [STOPS_CHANNEL, run.id])
  return undefined
}

/** Runs that are to end and have not yet: a person stopped them, or paused or cancelled their goal. */
export async function runsToStop(knex: Knex, runId?: string): Promise<RunRow[]> {
  return knex('agent_runs as r')
    .join('goals as g', 'g.id', 'r.goal_id')
    .where('r.status', 'running')
    .whereRaw('(r.stopped_by is not null or g.paused or g.ending)')
    .modify((query) => {
      if (runId !== undefined) query.where('r.id', runId)
    })
    .select('r.*')
}

/** Why no run of this goal may be started now; undefined when nobody paused or cancelled it. */
export async function whyHeld(knex: Knex, goalId: string): Promise<string | undefined> {
  const goal = await knex('goals').where({ id: goalId }).first('paused', 'ending')
  return goal.paused ? 'the goal is paused' : goal.ending ? 'the goal is ending' : undefined
}

/** What is told of a run as it is in this row. */
export async function runEvent(tx: Tx, run: RunRow): Promise<EmittedEvent> {
  const row = await tx('agent_runs as r')
    .where({ id: run.id })
    .first(tx.raw(`${TOLD_TOKENS} as told, ${IS_UNCOUNTED} as uncounted`))
  return {
    type: 'run.status',
    stream: goalStream(run.goal_id),
    actor: `agent:${run.adapter}`,
    data: {
      goalId: run.goal_id,
      taskId: run.task_id,
      runId: run.id,
      stage: run.stage as never,
      adapter: run.adapter,
      status: run.status,
      reason: run.exit_reason,
      detail: run.exit_detail,
      tokens: Number(row?.['told'] ?? 0),
      uncounted: row?.['uncounted'] === true,
    },
  }
}

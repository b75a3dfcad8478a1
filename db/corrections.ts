import type { Knex } from 'knex'
import { type AgentEvent, CORRECTION_STATES, type CorrectionFate } from '../contracts/agent.ts'
import { goalStream, shortId } from '../contracts/ids.ts'
import type { Correction } from '../contracts/schemas.ts'
import { STAGE_TITLES, type Stage } from '../contracts/stages.ts'
import type { Database, Tx } from './connect.ts'
import type { EmittedEvent } from './events.ts'
import { type Refusal, refuse } from './refusal.ts'
import type { RunRow } from './runs.ts'
import type { StageKey } from './stages.ts'

/** Says that a correction waits; the payload is the run's id. Only a hint: workers look by themselves too. */
export const CORRECTIONS_CHANNEL = 'dispatch_corrections'

type Emit = (event: EmittedEvent) => void

interface CorrectionRow {
  id: string
  run_id: string
  text: string
  state: CorrectionFate
  note: string | null
  created_by: string
  created_at: string
  delivered_at: string | null
  applied_at: string | null
}

/** Stores a person's correction for a run that is not over; a worker hands it to the agent. */
export async function createCorrection(
  tx: Tx,
  emit: Emit,
  input: { runId: string; text: string; actor: string },
): Promise<{ correction: Correction; goalId: string } | Refusal> {
  // shared: the run cannot end while its correction is being filed
  const run: RunRow = await tx('agent_runs').where({ id: input.runId }).forShare().first()
  if (run.status !== 'running')
    return refuse('wrong_state', `${shortId('run', run.number)} is over (${run.status}).`, {
      advice: 'Correct the run that is at work now, or request changes in the review.',
      current: { status: run.status },
    })
  const [row]: CorrectionRow[] = await tx('corrections')
    .insert({ run_id: run.id, text: input.text, created_by: input.actor })
    .returning('*')
  if (!row) throw new Error('unreachable: an insert returns its row')
  emit(statusEvent(run, row, input.actor))
  await tx.raw('select pg_notify(?, ?)', [CORRECTIONS_CHANNEL, run.id])
  return { correction: toCorrection(row), goalId: run.goal_id }
}

/** A run's corrections, oldest first. */
export async function listCorrections(knex: Knex, runId: string): Promise<Correction[]> {
  const rows: CorrectionRow[] = await knex('corrections').where({ run_id: runId }).orderBy('id')
  return rows.map(toCorrection)
}

/** What waits to be handed to agents at work, of one run or of all. */
export async function waitingCorrections(
  knex: Knex,
  runId?: string,
): Promise<{ id: string; runId: string; text: string }[]> {
  const rows: CorrectionRow[] = await knex('corrections as c')
    .join('agent_runs as r', 'r.id', 'c.run_id')
    .where('c.state', 'queued')
    .where('r.status', 'running')
    .modify((query) => {
      if (runId !== undefined) query.where('c.run_id', runId)
    })
    .orderBy('c.id')
    .select('c.*')
  return rows.map(({ id, run_id, text }) => ({ id, runId: run_id, text }))
}

/** What a person told an agent of this goal. `elsewhere`: in which other work of it, in words; null in the same work. */
export interface Told {
  text: string
  elsewhere: string | null
}

/**
 * Everything that people told the agents of a goal, oldest first, for the prompt of this run. The same work is the same task, or the same
 * stage of the whole goal; what was said elsewhere in the goal is told too, with its place. What waits for this very run is handed to it
 * once it is at work.
 */
export async function correctionsOf(knex: Knex, key: StageKey, runId: string): Promise<Told[]> {
  const rows: ToldRow[] = await knex('corrections as c')
    .join('agent_runs as r', 'r.id', 'c.run_id')
    .leftJoin('tasks as t', 't.id', 'r.task_id')
    .where({ 'r.goal_id': key.goalId })
    .whereRaw(`not (c.run_id = ? and c.state = 'queued')`, [runId])
    .orderBy('c.id')
    .select('c.text', 'r.task_id', 'r.stage', 't.number', 't.title')
  return rows.map((row) => ({ text: row.text, elsewhere: elsewhereOf(row, key) }))
}

interface ToldRow {
  text: string
  task_id: string | null
  stage: Stage
  number: number | null
  title: string | null
}

function elsewhereOf({ task_id, stage, number, title }: ToldRow, key: StageKey): string | null {
  const same =
    key.taskId === null ? task_id === null && stage === key.stage : task_id === key.taskId
  if (same) return null
  return number === null ? `in ${STAGE_TITLES[stage]}` : `in ${shortId('task', number)}, ${title}`
}

/** Notes how far a run's corrections came, as its events tell; a state never goes back. Telling it twice changes nothing. */
export async function noteCorrections(
  database: Database,
  run: RunRow,
  batch: readonly AgentEvent[],
): Promise<void> {
  const told = batch.filter((event) => event.type === 'correction' && event.state !== 'queued')
  if (told.length === 0) return
  await database.change(async (tx, emit) => {
    for (const event of told) {
      if (event.type !== 'correction') continue
      const { id, state } = event
      const earlier = CORRECTION_STATES.slice(0, CORRECTION_STATES.indexOf(state))
      const [row]: CorrectionRow[] = await tx('corrections')
        .where({ id, run_id: run.id })
        .whereIn('state', earlier)
        .update({ state, [`${state}_at`]: tx.fn.now() })
        .returning('*')
      if (row) emit(statusEvent(run, row, `agent:${run.adapter}`))
    }
  })
}

/** What is queued for runs of a goal that ended before they took it: every prompt of the goal has it from now on. */
export async function missedCorrections(knex: Knex, goalId: string): Promise<string[]> {
  return knex('corrections as c')
    .join('agent_runs as r', 'r.id', 'c.run_id')
    .where({ 'c.state': 'queued', 'r.goal_id': goalId })
    .whereNot('r.status', 'running')
    .pluck('c.id')
}

/** Notes that the prompt of this run has them. Again, it changes nothing. */
export async function deliverInPrompt(
  tx: Tx,
  emit: Emit,
  { run, missed }: { run: RunRow; missed: readonly string[] },
): Promise<void> {
  const note = `in the prompt of ${shortId('run', run.number)}, because its own run was over`
  await settleMissed(tx, emit, {
    missed,
    actor: `agent:${run.adapter}`,
    to: { state: 'delivered', note },
  })
}

/** The goal is over: what no prompt had by now, no agent will read. */
export async function expireCorrections(tx: Tx, emit: Emit, goalId: string): Promise<void> {
  const note = 'its run was over, and no agent of the goal was asked anything after it'
  const missed = await missedCorrections(tx, goalId)
  await settleMissed(tx, emit, { missed, actor: 'dispatch', to: { state: 'expired', note } })
}

async function settleMissed(
  tx: Tx,
  emit: Emit,
  change: {
    missed: readonly string[]
    actor: string
    to: { state: 'delivered' | 'expired'; note: string }
  },
): Promise<void> {
  const { missed, actor, to } = change
  const rows: CorrectionRow[] = await tx('corrections')
    .whereIn('id', missed)
    .where({ state: 'queued' })
    .update({ ...to, delivered_at: to.state === 'delivered' ? tx.fn.now() : null })
    .returning('*')
  for (const row of rows) {
    const own: RunRow = await tx('agent_runs').where({ id: row.run_id }).first()
    emit(statusEvent(own, row, actor))
  }
}

function statusEvent(run: RunRow, row: CorrectionRow, actor: string): EmittedEvent {
  return {
    type: 'correction.status',
    stream: goalStream(run.goal_id),
    actor,
    data: {
      goalId: run.goal_id,
      taskId: run.task_id,
      runId: run.id,
      correctionId: row.id,
      state: row.state,
      text: row.text.slice(0, 500),
      note: row.note,
    },
  }
}

const toCorrection = (row: CorrectionRow): Correction => ({
  id: row.id,
  runId: row.run_id,
  text: row.text,
  state: row.state,
  note: row.note,
  by: row.created_by,
  createdAt: row.created_at,
  deliveredAt: row.delivered_at,
  appliedAt: row.applied_at,
})

import type { Knex } from 'knex'
import { goalStream } from '../contracts/ids.ts'
import type { CheckResult, SecondOpinion } from '../contracts/schemas.ts'
import type { Stage, StageStatus } from '../contracts/stages.ts'
import type { Database, Tx } from './connect.ts'
import type { EmittedEvent } from './events.ts'

/** One attempt of one stage: what an activity works on, by a key that a second attempt of the activity finds again. */
export interface StageKey {
  goalId: string
  taskId: string | null
  stage: Stage
  attempt: number
}

export interface StageRow {
  id: string
  status: StageStatus
  reason: string | null
  feedback: string | null
  output: unknown
  checks: CheckResult[] | null
  second_opinion: SecondOpinion | null
  result: unknown
  /** The last change of git settings that was known before its agent began; null until then. */
  git_seen: number | null
}

export interface StageChange {
  status: StageStatus
  /** Why it waits or failed; null clears it. */
  reason?: string | null
  adapter?: string
  /** Why that agent, where it is not simply the profile's. */
  agentReason?: string | null
  output?: unknown
  checks?: readonly CheckResult[]
  /** What the workflow was answered; set once, when the attempt is over. */
  result?: unknown
  /** When it goes on by itself; any change without it clears it. */
  until?: string
}

/** An id after those of the goal's other attempts, also where the clock was set back since: their order is what came of what. */
const NEXT_ID = `greatest(uuidv7(), (
  select (left(id::text, 24) || lpad(to_hex(('x' || right(id::text, 12))::bit(48)::bigint + 1 + (random() * 1000)::int), 12, '0'))::uuid
    from stage_attempts where goal_id = ? order by id desc limit 1))`

/** The row of a stage attempt; made when it does not exist. */
export async function openStage(tx: Tx, key: StageKey, feedback: string | null): Promise<StageRow> {
  await tx('stage_attempts')
    .insert({ ...columns(key), id: tx.raw(NEXT_ID, [key.goalId]), feedback })
    .onConflict(tx.raw('(goal_id, task_id, stage, attempt)') as never)
    .ignore()
  return (await tx('stage_attempts').where(columns(key)).first()) as StageRow
}

/** Notes that a stage is not called for in this round of its task, as its next attempt: that one takes its place where it is, in a later round. */
export async function skipStage(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  { reason, ...of }: Omit<StageKey, 'attempt'> & { reason: string },
): Promise<void> {
  const { attempt: _, ...stage } = columns({ ...of, attempt: 0 })
  const last = await tx('stage_attempts')
    .where(stage)
    .whereNot({ status: 'skipped' })
    .max({ n: 'attempt' })
    .first()
  const key = { ...of, attempt: Number(last?.['n'] ?? 0) + 1 }
  await openStage(tx, key, null)
  await changeStage(tx, emit, { key, change: { status: 'skipped', reason } })
}

/** A stage is called for: that it was skipped in earlier rounds is no part of this one, which comes after all that happened since. */
export async function forgetSkipped(tx: Tx, key: StageKey): Promise<void> {
  const { attempt: _, ...stage } = columns(key)
  await tx('stage_attempts')
    .where({ ...stage, status: 'skipped' })
    .whereNull('result')
    .delete()
}

/** Whether the stage was begun again after this attempt. */
export async function isTriedAgain(knex: Knex, key: StageKey): Promise<boolean> {
  const { attempt, ...stage } = columns(key)
  const later = await knex('stage_attempts')
    .where(stage)
    .where('attempt', '>', attempt)
    .whereNot({ status: 'skipped' })
    .first('id')
  return later !== undefined
}

/** Whether the workflow has its answer: a worker that stood still meanwhile comes too late, and changes nothing of it any more. */
export async function isAnswered(knex: Knex, key: StageKey): Promise<boolean> {
  const row = await knex('stage_attempts').where(columns(key)).whereNotNull('result').first('id')
  return row !== undefined
}

const OVER: readonly StageStatus[] = [
  ...(['passed', 'failed', 'changes_requested', 'skipped', 'cancelled'] as const),
]

/** Changes a stage attempt and tells of it. Nothing is written or told when status and reason stay the same. */
export async function changeStage(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  input: { key: StageKey; change: StageChange; actor?: string },
): Promise<void> {
  const { key, change } = input
  const before = await tx('stage_attempts').where(columns(key)).forUpdate().first()
  if (!before) throw new Error(`no stage attempt ${key.stage} ${key.attempt} of goal ${key.goalId}`)
  const reason = change.reason === undefined ? before.reason : change.reason
  const over = OVER.includes(change.status)
  await tx('stage_attempts')
    .where({ id: before.id })
    .update({
      status: change.status,
      reason,
      until_at: change.until ?? null,
      ...(change.adapter === undefined ? {} : { adapter: change.adapter }),
      ...(change.agentReason === undefined ? {} : { agent_reason: change.agentReason }),
      ...(change.output === undefined ? {} : { output: JSON.stringify(change.output) }),
      ...(change.checks === undefined ? {} : { checks: JSON.stringify(change.checks) }),
      ...(change.result === undefined ? {} : { result: JSON.stringify(change.result) }),
      ...(change.status === 'running' && !before.started_at ? { started_at: tx.fn.now() } : {}),
      ...(over ? { ended_at: tx.fn.now() } : {}),
    })
  if (before.status === change.status && before.reason === reason) return
  emit({
    type: 'stage.status',
    stream: goalStream(key.goalId),
    actor: input.actor ?? 'dispatch',
    data: { ...key, status: change.status, reason },
  })
}

/** What failed around this attempt was done in the end. */
export async function passAtLast(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  key: StageKey,
): Promise<void> {
  const failed = await tx('stage_attempts')
    .where({ ...columns(key), status: 'failed' })
    .first('id')
  if (failed) await changeStage(tx, emit, { key, change: { status: 'passed', reason: null } })
}

/** Keeps another agent's opinion of a verify attempt beside its own answer; the last one counts. */
export async function storeSecondOpinion(
  database: Database,
  key: StageKey,
  opinion: SecondOpinion,
): Promise<void> {
  await database
    .knex('stage_attempts')
    .where(columns(key))
    .update({ second_opinion: JSON.stringify(opinion) })
}

const columns = (key: StageKey) => ({
  goal_id: key.goalId,
  task_id: key.taskId,
  stage: key.stage,
  attempt: key.attempt,
})

import type { Stage } from '../contracts/stages.ts'
import type { Tx } from '../db/connect.ts'
import type { EmittedEvent } from '../db/events.ts'
import { releaseLease } from '../db/pool.ts'
import { listEarlierLiveRuns, listSegments, type RunRow, whyHeld } from '../db/runs.ts'
import { changeStage, type StageKey } from '../db/stages.ts'
import type { ActivityDeps } from './deps.ts'
import { endRuns } from './run-record.ts'

/** The key of a stage attempt's place in the pool. */
export const leaseOf = (key: StageKey) => `${key.taskId ?? key.goalId}/${key.stage}/${key.attempt}`

/**
 * Ends whatever an attempt that will not go on left at work: its agent's processes, its run's row, its place in the
 * pool. The session is kept. Again, or when nothing is left, it does nothing. `detail`: why, for the run's record.
 */
export async function abandonAttempt(
  deps: ActivityDeps,
  key: StageKey,
  detail: string,
): Promise<void> {
  const segments = await listSegments(deps.database.knex, key)
  const live = segments.filter(({ status }) => status === 'running')
  await endRuns(deps, live, detail)
  await deps.database.change((tx, emit) => releaseLease(tx, leaseOf(key), emit))
}

/**
 * Before an attempt starts: nothing of an earlier one may be at work, because both would write in the same worktree.
 * Later attempts are left alone: then it is this one that is out of date.
 */
export async function abandonEarlierAttempts(deps: ActivityDeps, key: StageKey): Promise<void> {
  const { database } = deps
  if (key.attempt === 1) return
  const runs = await listEarlierLiveRuns(database.knex, key)
  await endRuns(deps, runs, `attempt ${key.attempt} takes its place`)
  const earlier = Array.from({ length: key.attempt - 1 }, (_, n) =>
    leaseOf({ ...key, attempt: n + 1 }),
  )
  const leases: string[] = await database
    .knex('run_leases')
    .whereIn('id', earlier)
    .whereIn('state', ['held', 'waiting'])
    .pluck('id')
  if (leases.length === 0) return
  await database.change(async (tx, emit) => {
    for (const id of leases) await releaseLease(tx, id, emit)
  })
}

/** A pause or a cancellation: the run has ended, its session is kept, its place is free for others. */
export async function interruptAttempt(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  key: StageKey,
): Promise<void> {
  const goal = await tx('goals').where({ id: key.goalId }).first('paused', 'ending', 'reason')
  const status = goal.paused ? 'paused' : goal.ending ? 'cancelled' : 'waiting'
  // one that was resumed while its agent was being interrupted goes on at once
  const reason = status === 'waiting' ? null : goal.reason
  await changeStage(tx, emit, { key, change: { status, reason } })
  await releaseLease(tx, leaseOf(key), emit)
}

/**
 * Ends a run that nobody follows any more. Where its goal was paused or cancelled while no worker was there, no activity says that its
 * attempt stands still, or gives its place back.
 */
export async function endUnfollowed(
  deps: Pick<ActivityDeps, 'runner' | 'database'>,
  run: RunRow,
  detail: string,
): Promise<void> {
  await endRuns(deps, [run], detail)
  const { goal_id: goalId, task_id: taskId, attempt } = run
  const key: StageKey = { goalId, taskId, stage: run.stage as Stage, attempt }
  await deps.database.change(async (tx, emit) => {
    const attempted = { goal_id: goalId, task_id: taskId, stage: key.stage, attempt }
    const isOpen = await tx('stage_attempts')
      .where({ ...attempted, status: 'running' })
      .first('id')
    if (isOpen && (await whyHeld(tx, goalId)) !== undefined) await interruptAttempt(tx, emit, key)
  })
}

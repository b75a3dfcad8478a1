import { releaseLease } from '../db/pool.ts'
import { listEarlierLiveRuns, listSegments } from '../db/runs.ts'
import type { StageKey } from '../db/stages.ts'
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

import type { Knex } from 'knex'
import { formatUtc } from '../contracts/figures.ts'
import { storable } from '../contracts/storable.ts'
import type { Database, Tx } from './connect.ts'

/** Work for a goal that is tried again until it succeeds. */
export interface Delayed {
  goalId: string
  /** Its activity, and of a task's work the task: `mergeGoal`, `integrateTask/<id>`. */
  work: string
}

/** What was not tried again for this long is over, or nobody is there to try it. More than between two tries. */
const TRIED_SECONDS = 60

/** What activities do, as it reads after "could not". */
const DOES: Readonly<Record<string, string>> = {
  startGoal: 'begin it',
  approveSpec: 'make its tasks',
  runStage: 'go on with a stage',
  openReview: 'ask for a review',
  integrateTask: "bring a task's approved work onto the goal's branch",
  mergeGoal: 'merge it',
  report: 'say how it goes',
  endGoal: 'end it',
}

/** Notes that this work failed and is tried again; since when is kept from the first time. */
export async function noteDelay(
  { knex }: Database,
  { goalId, work }: Delayed,
  error: string,
): Promise<void> {
  await knex.raw(
    `insert into delays(goal_id, work, error) values (:goalId, :work, :error)
     on conflict (goal_id, work) do update set error = excluded.error, tried_at = now(),
       since = case when delays.tried_at > now() - make_interval(secs => :seconds) then delays.since else now() end`,
    { goalId, work, error: storable(error.slice(0, 500)), seconds: TRIED_SECONDS },
  )
}

/** It succeeded, or is not tried again. */
export async function endDelay({ knex }: Database, { goalId, work }: Delayed): Promise<void> {
  await knex('delays').where({ goal_id: goalId, work }).delete()
}

/** A person had the goal go another way: what is still tried then is noted again, within seconds. */
export async function forgetDelays(tx: Tx, goalId: string): Promise<void> {
  await tx('delays').where({ goal_id: goalId }).delete()
}

/** Why these goals stand still: what is delayed longest of each; the others are absent. */
export async function delaysOf(knex: Knex, ids: readonly string[]): Promise<Map<string, string>> {
  const rows: { goal_id: string; work: string; error: string; since: string }[] = await knex(
    'delays',
  )
    .whereIn('goal_id', ids)
    .whereRaw('tried_at > now() - make_interval(secs => ?)', [TRIED_SECONDS])
    .orderBy('since', 'desc')
  return new Map(
    rows.map(({ goal_id, work, error, since }) => [
      goal_id,
      `since ${formatUtc(new Date(since))} Dispatch could not ${DOES[work.split('/')[0] ?? ''] ?? 'go on'} (${error}): it is tried again every 10 seconds, and the goal goes on then`,
    ]),
  )
}

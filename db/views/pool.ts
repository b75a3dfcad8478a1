import type { Knex } from 'knex'
import { shortId } from '../../contracts/ids.ts'
import type { PoolState, Settings } from '../../contracts/schemas.ts'
import { askAll } from '../ask-all.ts'
import { inTurn, limitReached, type PoolPause, readPause } from '../pool.ts'
import { readSettings } from '../settings.ts'

interface LeaseRow {
  id: string
  goal_id: string
  goal_number: number
  goal_title: string
  task_number: number | null
  task_title: string | null
  stage: string
  adapter: string
  state: 'held' | 'waiting'
  enqueued_at: string
  granted_at: string | null
  hold: string | null
  goal_paused: boolean
}

/** Who runs, who waits, and why. */
export async function poolState(knex: Knex): Promise<PoolState> {
  const [settings, paused, rows] = await askAll(knex, [
    () => readSettings(knex),
    () => readPause(knex),
    () => leaseRows(knex),
  ])
  const held = rows.filter((row) => row.state === 'held')
  const waiting = rows
    .filter((row) => row.state === 'waiting')
    .map((row) => ({ ...row, heldBy: whatHolds(row, { held, settings, paused }) }))
  const next = waiting.find(({ heldBy }) => heldBy === undefined)
  return {
    paused: paused !== undefined,
    pausedBy: paused?.by ?? null,
    pausedAt: paused?.at ?? null,
    maxConcurrent: settings.maxConcurrent,
    maxPerGoal: settings.maxPerGoal,
    held: held.map((row) => ({ ...toLease(row), since: row.granted_at ?? row.enqueued_at })),
    waiting: waiting.map((row, index) => ({
      ...toLease(row),
      position: index + 1,
      reason: row.heldBy ?? inTurn(held.length, settings, row === next),
      since: row.enqueued_at,
    })),
  }
}

const leaseRows = (knex: Knex): Promise<LeaseRow[]> =>
  knex('run_leases as l')
    .join('goals as g', 'g.id', 'l.goal_id')
    .whereIn('l.state', ['held', 'waiting'])
    .orderBy(['l.enqueued_at', 'l.id'])
    .leftJoin('stage_attempts as a', (on) =>
      on
        .on('a.goal_id', 'l.goal_id')
        .andOn(
          knex.raw(`l.id = coalesce(a.task_id, a.goal_id) || '/' || a.stage || '/' || a.attempt`),
        ),
    )
    .leftJoin('tasks as t', 't.id', 'a.task_id')
    .select('l.*', { goal_number: 'g.number', goal_title: 'g.title' })
    .select({ goal_paused: 'g.paused' })
    .select({ task_number: 't.number', task_title: 't.title' })

const toLease = (row: LeaseRow) => ({
  id: row.id,
  goalId: row.goal_id,
  goalShortId: shortId('goal', row.goal_number),
  goalTitle: row.goal_title,
  taskShortId: row.task_number === null ? null : shortId('task', row.task_number),
  taskTitle: row.task_title,
  stage: row.stage,
  adapter: row.adapter,
})

/** What holds a run back, whoever is before it in line. */
function whatHolds(
  row: LeaseRow,
  at: { held: readonly LeaseRow[]; settings: Settings; paused: PoolPause | undefined },
): string | undefined {
  const { held, settings, paused } = at
  if (row.hold !== null) return row.hold
  if (row.goal_paused) return 'the goal is paused'
  const ofGoal = held.filter((one) => one.goal_id === row.goal_id).length
  const goalIsFull = ofGoal >= settings.maxPerGoal
  return limitReached({ paused, held: held.length, settings, goalIsFull })
}

import type { Knex } from 'knex'
import { shortId } from '../contracts/ids.ts'
import { someOf } from '../contracts/some-of.ts'
import { OVER_STATUSES } from '../contracts/stages.ts'
import type { Database } from './connect.ts'
import { lateMessages } from './outbox.ts'
import { releaseLease } from './pool.ts'
import { workerPresence } from './presence.ts'
import { type RunRow, runEvent } from './runs.ts'

export interface DoctorFinding {
  name: string
  ok: boolean
  message: string
  /** What to do; null when all is well. */
  advice: string | null
  repaired: boolean
}

/** Looks; what keeps it from that is a finding of its own, and must not hide what else is found. */
export async function told(
  name: string,
  look: () => Promise<DoctorFinding>,
): Promise<DoctorFinding> {
  try {
    return await look()
  } catch (error) {
    const advice = 'see the message, and "dispatch logs --service api"'
    const { message, cause } = error as Error
    const why = cause instanceof Error ? `${message}: ${cause.message}` : message
    return { name, ok: false, message: why, advice, repaired: false }
  }
}

/**
 * What the database itself can tell: whether a worker lives, and what is left over. That is places in the pool whose stage or goal
 * is over, messages that Temporal does not take, runs that count as running although their stage is over. `repair` frees the
 * places and ends the runs.
 */
export async function databaseFindings(
  database: Database,
  repair: boolean,
): Promise<DoctorFinding[]> {
  return [
    await told('worker', () => workerFinding(database)),
    await told('pool', () => orphanedLeases(database, repair)),
    await told('outbox', () => lateMessagesFinding(database)),
    await told('runs', () => orphanedRuns(database, repair)),
  ]
}

async function workerFinding({ knex }: Database): Promise<DoctorFinding> {
  const { lives, silentSince } = await workerPresence(knex)
  const base = { name: 'worker', repaired: false }
  if (lives) return { ...base, ok: true, message: 'a worker runs', advice: null }
  if (silentSince)
    return {
      ...{ ...base, ok: false },
      message: `the worker hangs, it has not answered since ${silentSince}: no goal goes on until it does`,
      advice:
        'end its process with kill -9: it is started again, and agents at work go on ("dispatch status" names it)',
    }
  return {
    ...{ ...base, ok: false },
    message: 'no worker runs: no goal goes on until one does',
    advice: 'look at "dispatch logs --service supervisor" for why it ended',
  }
}

async function orphanedLeases(database: Database, repair: boolean): Promise<DoctorFinding> {
  const orphans = (knex: Knex): Promise<string[]> =>
    knex('run_leases')
      .whereIn('state', ['waiting', 'held'])
      .where((orphan) =>
        orphan
          .whereIn('goal_id', knex('goals').whereIn('status', OVER_STATUSES).select('id'))
          .orWhereExists(
            knex('stage_attempts as a')
              .whereRaw('a.goal_id = run_leases.goal_id')
              .whereRaw(
                `run_leases.id = coalesce(a.task_id, a.goal_id) || '/' || a.stage || '/' || a.attempt`,
              )
              .whereIn('a.status', ['passed', 'failed', 'skipped', 'cancelled']),
          ),
      )
      .pluck('id')
  const ids = await (repair
    ? database.change(async (tx, emit) => {
        const left = await orphans(tx)
        for (const id of left) await releaseLease(tx, id, emit)
        return left
      })
    : orphans(database.knex))
  return finding('pool', ids, {
    well: 'every place in the pool belongs to a stage at work',
    found: (count) => `places in the pool of stages or goals that are over: ${count}`,
    advice: 'run "dispatch doctor --repair"',
    repaired: repair,
  })
}

async function lateMessagesFinding({ knex }: Database): Promise<DoctorFinding> {
  const late = await lateMessages(knex)
  const [oldest] = late
  const goals = [...new Set(late.map(({ goalNumber }) => shortId('goal', goalNumber)))]
  return finding('outbox', late, {
    well: 'Temporal takes what it is told',
    found: (count) =>
      `${count} ${count === 1 ? 'message waits' : 'messages wait'} for Temporal, since ${oldest?.since}: ${oldest?.error}. It is what moves ${someOf(goals)}`,
    advice:
      'they are sent again by themselves, every minute at the latest; look at "dispatch logs --service temporal" for why it does not take them',
    repaired: false,
  })
}

async function orphanedRuns(database: Database, repair: boolean): Promise<DoctorFinding> {
  const orphans = (knex: Knex) =>
    knex('agent_runs as r')
      .where('r.status', 'running')
      .whereNotExists(
        knex('stage_attempts as a')
          .whereRaw('a.goal_id = r.goal_id and a.task_id is not distinct from r.task_id')
          .whereRaw('a.stage = r.stage and a.attempt = r.attempt')
          .whereIn('a.status', ['waiting', 'running', 'paused', 'review']),
      )
  const ids: string[] = await (repair
    ? database.change(async (tx, emit) => {
        const lost = { status: 'lost', ended_at: tx.fn.now(), exit_detail: 'its stage was over' }
        // one statement: a run that ends by its own word meanwhile has ended so
        const runs: RunRow[] = await orphans(tx).update(lost).returning('r.*')
        for (const run of runs) emit(await runEvent(tx, run))
        return runs.map(({ id }) => id)
      })
    : orphans(database.knex).pluck('r.id'))
  return finding('runs', ids, {
    well: 'every agent run at work belongs to a stage at work',
    found: (count) => `${count} agent runs count as running although their stage is over`,
    advice: 'run "dispatch doctor --repair"',
    repaired: repair,
  })
}

function finding(
  name: string,
  found: readonly unknown[],
  words: { well: string; found: (count: number) => string; advice: string; repaired: boolean },
): DoctorFinding {
  if (found.length === 0)
    return { name, ok: true, message: words.well, advice: null, repaired: false }
  const { repaired } = words
  return {
    name,
    ok: repaired,
    message: words.found(found.length),
    advice: repaired ? null : words.advice,
    repaired,
  }
}

import { actorName, formatUtc } from '../contracts/figures.ts'
import { SYSTEM_STREAM } from '../contracts/ids.ts'
import type { Settings } from '../contracts/schemas.ts'
import type { Database, Tx } from './connect.ts'
import type { EmittedEvent } from './events.ts'
import { LOCKS } from './locks.ts'
import { readSettings } from './settings.ts'

/** A wanted run. `id` is the key of the stage attempt: asking again keeps the place in line. */
export interface LeaseRequest {
  id: string
  goalId: string
  stage: string
  adapter: string
  /** Why this run must not start now, whatever the pool says: it waits in line, and gives back a place it holds. */
  hold?: string | undefined
  /** Its run is at work already (its lease expired while no worker was there): it has its place whatever the limits say. */
  atWork?: boolean
}

/** `position` counts from 1; 0 means not in line, because the goal itself must not go on. */
export type LeaseAnswer = { granted: true } | { granted: false; position: number; reason: string }

export interface PoolPause {
  by: string
  at: string
}

/** The time of a lease that nobody renewed for this long is up. */
const LEASE_SECONDS = 180
/** A place whose time is up is watched for this long before another run gets it: more than its own takes to renew it. */
const WATCH_SECONDS = 75
/** Whoever stands in line looks more often than this. A longer gap was a sleep of the machine, in which nobody could renew anything. */
const WATCH_GAP_SECONDS = 30
/** A waiting row that nobody asked for lately (its goal was cancelled) does not hold up the line. */
const SEEN_SECONDS = 60

const PAUSE_KEY = 'pool.paused'

/**
 * Takes a place in the pool, or says which place in line the run has and why it waits. Granted when the pool is not
 * paused, fewer than `maxConcurrent` are held, fewer than `maxPerGoal` of this goal's, and no earlier run could go.
 */
export async function acquireLease(
  database: Database,
  request: LeaseRequest,
): Promise<LeaseAnswer> {
  return database.change(async (tx, emit) => {
    await lockPool(tx)
    await followClock(tx)
    const { state, entered } = await enterLine(tx, request)
    if (state === 'held' && !request.hold) {
      // it may be past its time already: it is taken anew, before the next one counts it as free
      await tx('run_leases')
        .where({ id: request.id })
        .update({ expires_at: expiry(tx) })
      return { granted: true }
    }
    if (state === 'held')
      await tx('run_leases').where({ id: request.id }).update({ state: 'waiting' })
    await expireWatched(tx)
    const settings = await readSettings(tx)
    const paused = await readPause(tx)
    const line = await readLine(tx, settings.maxPerGoal)
    const place = line.findIndex((row) => row.id === request.id)
    const held = await countHeld(tx)
    const own = line[place]
    const first = line.find((row) => row.eligible)
    const reason =
      request.hold ??
      (own
        ? limitReached({ paused, held, settings, goalIsFull: !own.eligible })
        : await whyNotInLine(tx, request.goalId))
    if (!request.atWork && (reason !== undefined || first?.id !== request.id)) {
      if (entered || state === 'held') emit(poolEvent(paused !== undefined, held, line.length))
      return { granted: false, position: place + 1, reason: reason ?? inTurn(held, settings) }
    }
    await tx('run_leases')
      .where({ id: request.id })
      .update({
        state: 'held',
        granted_at: tx.fn.now(),
        expires_at: expiry(tx),
      })
    const waiting = line.filter((row) => row.id !== request.id).length
    emit(poolEvent(paused !== undefined, held + 1, waiting))
    return { granted: true }
  })
}

/** Nobody else gets a place, gives one back, pauses the pool or resumes it until this transaction ends. */
const lockPool = (tx: Tx) => tx.raw('select pg_advisory_xact_lock(?)', [LOCKS.pool])

/**
 * Where the clock was set back, the times of before are moved with it: rows that nobody asks for or renews would else hold up the others
 * until those times come again. All by as much, so that the line stays as it is.
 */
async function followClock(tx: Tx): Promise<void> {
  await tx.raw(
    `update run_leases set seen_at = seen_at - ahead.by, enqueued_at = enqueued_at - ahead.by,
       expires_at = expires_at - ahead.by, overdue_since = overdue_since - ahead.by, overdue_seen = overdue_seen - ahead.by
     from (select max(greatest(seen_at, enqueued_at, expires_at - make_interval(secs => :lease))) - now() as by
             from run_leases where state in ('held', 'waiting')) ahead
     where state in ('held', 'waiting') and ahead.by > make_interval(secs => :seen)`,
    { lease: LEASE_SECONDS, seen: SEEN_SECONDS },
  )
}

const expiry = (knex: Tx | Database['knex']) =>
  knex.raw(`now() + make_interval(secs => ?)`, [LEASE_SECONDS])

/** Why a run has no place in the line at all: its goal must not go on now. */
async function whyNotInLine(tx: Tx, goalId: string): Promise<string> {
  const goal = await tx('goals').where({ id: goalId }).first('status', 'paused')
  return goal.paused ? 'the goal is paused' : `the goal is ${goal.status}`
}

/** What keeps a run from starting; undefined when it could, were it first in line. */
export function limitReached(at: {
  paused: PoolPause | undefined
  held: number
  settings: Settings
  goalIsFull: boolean
}): string | undefined {
  const { paused, held, goalIsFull } = at
  const { maxPerGoal, maxConcurrent } = at.settings
  if (paused) {
    const since = formatUtc(new Date(paused.at))
    return `the pool is paused by ${actorName(paused.by)} since ${since}`
  }
  if (goalIsFull)
    return maxPerGoal === 1
      ? 'a run of this goal is at work, and a goal may have one at a time'
      : `${maxPerGoal} runs of this goal are at work, as many as a goal may have`
  if (held < maxConcurrent) return undefined
  return maxConcurrent === 1
    ? 'the only place of the pool is taken'
    : `all ${maxConcurrent} places of the pool are taken`
}

/** Of a run that no limit holds. */
export function inTurn(held: number, { maxConcurrent }: Settings, isFirst = false): string {
  const taken = `${held} of ${maxConcurrent} places of the pool ${held === 1 ? 'is' : 'are'} taken`
  return `${taken}, ${isFirst ? 'it starts in a moment' : 'those before it go first'}`
}

/** Frees the places that nobody renewed although there was time to; each one in line who looks carries the watch on. */
async function expireWatched(tx: Tx): Promise<void> {
  await tx.raw(
    `update run_leases set
       state = case when overdue_seen > now() - make_interval(secs => :gap)
                     and overdue_since < now() - make_interval(secs => :watch) then 'expired' else state end,
       overdue_since = case when overdue_seen > now() - make_interval(secs => :gap) then overdue_since else now() end,
       overdue_seen = now()
     where state = 'held' and expires_at < now()`,
    { gap: WATCH_GAP_SECONDS, watch: WATCH_SECONDS },
  )
}

/**
 * Keeps a lease while its run makes progress. One that expired meanwhile, because Postgres was away for long, is held again whatever the
 * limits say: its run is at work, so it counts. One that was given back stays so.
 */
export async function renewLease(database: Database, id: string): Promise<void> {
  await database
    .knex('run_leases')
    .where({ id })
    .whereIn('state', ['held', 'expired'])
    .update({ state: 'held', expires_at: expiry(database.knex) })
}

/** Gives the place back, or leaves the line. Harmless when it was given back before. */
export async function releaseLease(
  tx: Tx,
  id: string,
  emit: (event: EmittedEvent) => void,
): Promise<void> {
  // two at the same time would each tell the other's place as taken
  await lockPool(tx)
  const count = await tx('run_leases')
    .where({ id })
    // an expired one too, so that no late renewal takes it again
    .whereIn('state', ['held', 'waiting', 'expired'])
    .update({ state: 'released' })
  if (count === 0) return
  const waiting = await tx('run_leases').where({ state: 'waiting' }).count({ n: '*' })
  emit(
    poolEvent(
      (await readPause(tx)) !== undefined,
      await countHeld(tx),
      Number(waiting[0]?.['n'] ?? 0),
    ),
  )
}

/** Pauses or resumes the pool for everybody. Running agents go on. */
export async function setPoolPaused(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  { paused, actor }: { paused: boolean; actor: string },
): Promise<void> {
  await lockPool(tx)
  const before = await readPause(tx)
  if ((before !== undefined) === paused) return
  if (paused) {
    const value = JSON.stringify({ by: actor, at: new Date().toISOString() })
    await tx('settings').insert({ key: PAUSE_KEY, value, updated_by: actor })
  } else await tx('settings').where({ key: PAUSE_KEY }).delete()
  const waiting = await tx('run_leases').where({ state: 'waiting' }).count({ n: '*' })
  emit({ ...poolEvent(paused, await countHeld(tx), Number(waiting[0]?.['n'] ?? 0)), actor })
}

/** Who paused the pool and when; undefined while it is not paused. */
export async function readPause(tx: Tx | Database['knex']): Promise<PoolPause | undefined> {
  const row = await tx('settings').where({ key: PAUSE_KEY }).first('value')
  return row?.value as PoolPause | undefined
}

/** `entered`: it was not in line and held no place before. */
async function enterLine(
  tx: Tx,
  request: LeaseRequest,
): Promise<{ state: string; entered: boolean }> {
  const { rows } = await tx.raw(
    `insert into run_leases(id, goal_id, stage, adapter, hold) values (?, ?, ?, ?, ?)
     on conflict (id) do update set seen_at = now(), hold = excluded.hold,
       state = case when run_leases.state in ('released', 'expired') then 'waiting' else run_leases.state end,
       enqueued_at = case when run_leases.state in ('released', 'expired') then clock_timestamp() else run_leases.enqueued_at end
     returning state, enqueued_at >= now() as entered`,
    [request.id, request.goalId, request.stage, request.adapter, request.hold ?? null],
  )
  return rows[0]
}

/** The line as it stands: `eligible` when nothing holds it back and the goal has fewer than its share. */
async function readLine(tx: Tx, maxPerGoal: number): Promise<{ id: string; eligible: boolean }[]> {
  const { rows } = await tx.raw(
    `select w.id, w.hold is null and
        (select count(*) from run_leases h where h.state = 'held' and h.goal_id = w.goal_id) < ? as eligible
       from run_leases w
      where w.state = 'waiting' and w.seen_at > now() - make_interval(secs => ?)
        and exists (select 1 from goals g where g.id = w.goal_id and not g.paused
                      and g.status in ('active', 'needs_attention'))
      order by w.enqueued_at, w.id`,
    [maxPerGoal, SEEN_SECONDS],
  )
  return rows
}

async function countHeld(tx: Tx): Promise<number> {
  const rows = await tx('run_leases').where({ state: 'held' }).count({ n: '*' })
  return Number(rows[0]?.['n'] ?? 0)
}

const poolEvent = (paused: boolean, held: number, waiting: number): EmittedEvent => ({
  type: 'pool.status',
  stream: SYSTEM_STREAM,
  actor: 'dispatch',
  data: { paused, held, waiting },
})

import { setTimeout as delay } from 'node:timers/promises'
import { brokenInvariants } from '../support/invariants.ts'
import type { OwnStack } from '../support/own-stack.ts'
import { until } from '../support/until.ts'
import { startPerson } from './person.ts'
import { goalText, isService, type Schedule, type Service } from './schedule.ts'
import { namedState, type Strike, strike } from './strike.ts'

export interface Outcome {
  schedule: Schedule
  /** Broken invariants and other surprises, in words; none is well. */
  broken: string[]
  hit: string[]
  /** From the kill (or from when a held service was let go) to the first progress after everything was back. */
  recoveryMs: number | undefined
  /** How long it took until people were told what is missing, where it stayed away. */
  namedMs: number | undefined
  totalMs: number
  goalId: string | undefined
}

const RECOVERY_MS = 90_000
const COMPLETION_MS = 180_000
/** The last steps of a goal (worktrees back, workflow closed) come after it was told to be complete. */
const QUIET_MS = 20_000

/** One goal of one person, one strike in the middle, and what came of it. Never throws: what went wrong is in `broken`. */
export async function runSchedule(
  at: OwnStack,
  schedule: Schedule,
  profile = 'Demo',
): Promise<Outcome> {
  const started = Date.now()
  const outcome: Outcome = {
    ...{ schedule, broken: [], hit: [], totalMs: 0, goalId: undefined },
    ...{ recoveryMs: undefined, namedMs: undefined },
  }
  try {
    await play(at, { schedule, outcome, profile })
  } catch (error) {
    outcome.broken.push((error as Error).message)
    if (outcome.goalId) outcome.broken.push(await describeGoal(at, outcome.goalId))
  }
  outcome.totalMs = Date.now() - started
  return outcome
}

async function play(
  at: OwnStack,
  { schedule, outcome, profile }: { schedule: Schedule; outcome: Outcome; profile: string },
): Promise<void> {
  const repository = at.repository(`repo ${schedule.index}`)
  const project = await at.insist('POST', '/api/projects', { path: repository.path })
  const filed = await at.insist('POST', '/api/goals', {
    ...{ project: project.body.id, description: goalText(schedule), profile },
  })
  if (filed.status !== 202) throw new Error(`the goal was refused: ${JSON.stringify(filed.body)}`)
  const goalId: string = filed.body.id
  outcome.goalId = goalId
  const struck = createStruck(at, goalId, schedule)
  const person = startPerson(at, goalId, struck.meet)
  const blow = await struck.done
  outcome.hit = blow.hit
  const from = await comeBack(at, goalId, { schedule, blow, outcome })
  outcome.recoveryMs = (await progress(at, goalId, { schedule, from })) - from
  await until(async () => await isOver(at, goalId), {
    ms: COMPLETION_MS,
    what: 'the end of the goal',
    everyMs: 500, // with many goals at once, to look costs more than they do
  })
  await person.leave()
  for (const answer of person.refused)
    outcome.broken.push(`a decision was refused: ${JSON.stringify(answer)}`)
  outcome.broken.push(...(await settled(at, goalId, repository)))
}

/** Strikes at the schedule's moment; `meet` is the person's hook, where the moment is a review. */
function createStruck(at: OwnStack, goalId: string, schedule: Schedule) {
  let hit: (strike: Strike | Promise<Strike>) => void = () => undefined
  let miss: (error: Error) => void = () => undefined
  const done = new Promise<Strike>((resolve, reject) => {
    hit = resolve
    miss = reject
  })
  const now = async () => {
    await delay(schedule.delayMs) // the point in time that the seed chose
    return strike(at, goalId, schedule)
  }
  let over = false
  const meet = async ({ kind }: { kind: string }) => {
    if (schedule.stage !== 'review' || kind !== 'task' || over) return
    over = true
    const striking = now()
    hit(striking)
    if (schedule.moment === 'waiting') await striking.catch(() => undefined) // told by `done`
  }
  if (schedule.stage !== 'review') reach(at, goalId, schedule).then(now).then(hit, miss)
  return { done, meet }
}

/** Resolves when the goal is in the stage that the schedule names. */
async function reach(at: OwnStack, goalId: string, { stage }: Schedule): Promise<void> {
  const place =
    stage === 'merge' ? { stage: 'audit', status: 'passed' } : { stage, status: 'running' }
  await until(
    () =>
      at.ask((knex) =>
        knex('stage_attempts')
          .where({ goal_id: goalId, ...place })
          .first('id'),
      ),
    { ms: 120_000, what: `the stage ${stage}`, everyMs: 50 },
  )
}

/** Brings back what was held down, as the schedule says. Returns from when on recovery counts. */
async function comeBack(
  at: OwnStack,
  goalId: string,
  { schedule, blow, outcome }: { schedule: Schedule; blow: Strike; outcome: Outcome },
): Promise<number> {
  if (schedule.comeback === 'at_once') return blow.at
  try {
    if (schedule.comeback === 'late') await delay(schedule.downMs)
    else outcome.namedMs = await noticed(at, goalId, schedule.victims.filter(isService))
  } catch (error) {
    outcome.broken.push((error as Error).message)
  }
  blow.release()
  return Date.now()
}

/** With the API away only the command line can tell; else whoever is missing is named. */
async function noticed(at: OwnStack, goalId: string, services: Service[]): Promise<number> {
  if (services.includes('api')) return namedState(at, goalId, 'api')
  // without Postgres nothing can be read, the others' absence included
  if (services.includes('postgres')) return namedState(at, goalId, 'postgres')
  const took: number[] = []
  for (const service of services) took.push(await namedState(at, goalId, service))
  return Math.max(...took)
}

/** When everything runs again and the goal has moved since, waits for a person, or is over; for a run that was killed, when another goes on. */
async function progress(
  at: OwnStack,
  goalId: string,
  { schedule, from }: { schedule: Schedule; from: number },
): Promise<number> {
  const limit = { ms: RECOVERY_MS, everyMs: 100 }
  await until(() => isWhole(at), { ...limit, what: 'everything to run again' })
  const back = new Date()
  const services = schedule.victims.some(isService)
  await until(
    () =>
      services
        ? moved(at, goalId, back)
        : runsAgain(at, goalId, { schedule, since: new Date(from) }),
    { ...limit, what: 'progress after the kill' },
  )
  return Date.now()
}

async function isWhole(at: OwnStack): Promise<boolean> {
  if (Object.values(at.stack.processes()).some(({ status }) => status !== 'running')) return false
  const ready = await at.call('GET', '/ready').catch(() => undefined)
  return ready?.body.status === 'ok'
}

async function moved(at: OwnStack, goalId: string, since: Date): Promise<boolean> {
  const answer = await at.ask((knex) =>
    knex.raw(
      `select exists (select 1 from events where stream = ? and at > ? and type <> 'run.status')
           or exists (select 1 from agent_runs r join transcripts t on t.run_id = r.id where r.goal_id = ? and t.at > ?)
           or exists (select 1 from reviews where goal_id = ? and status = 'pending')
           or exists (select 1 from goals where id = ? and status <> 'active') as moved`,
      [`goal/${goalId}`, since, goalId, since, goalId, goalId],
    ),
  )
  return answer?.rows[0].moved ?? false
}

/** A run was killed: another one of the same stage says something. The goal's other runs were never in danger. */
async function runsAgain(
  at: OwnStack,
  goalId: string,
  { schedule, since }: { schedule: Schedule; since: Date },
): Promise<boolean> {
  const answer = await at.ask((knex) =>
    knex.raw(
      `select exists (select 1 from agent_runs r join transcripts t on t.run_id = r.id
        where r.goal_id = ? and r.stage = ? and r.purpose = 'resume' and t.at > ?) as again`,
      [goalId, schedule.stage, since],
    ),
  )
  return answer?.rows[0].again ?? false
}

async function isOver(at: OwnStack, goalId: string): Promise<boolean> {
  const answer = await at.call('GET', `/api/goals/${goalId}`).catch(() => undefined)
  return (
    answer?.status === 200 &&
    ['completed', 'cancelled', 'needs_attention'].includes(answer.body.status)
  )
}

async function settled(
  at: OwnStack,
  goalId: string,
  repository: ReturnType<OwnStack['repository']>,
): Promise<string[]> {
  const { home, database } = at
  const temporalAddress = at.stack.temporalAddress
  let broken: string[] = []
  await until(
    async () => {
      // another schedule's kill may be in the way: what could not be looked at is not kept
      broken = await brokenInvariants({
        home,
        database,
        temporalAddress,
        repository,
        goalId,
      }).catch((error: Error) => [`it could not be looked at: ${error.message}`])
      return broken.length === 0
    },
    { ms: QUIET_MS, what: 'quiet', everyMs: 500 },
  ).catch(() => undefined) // `broken` says what is left
  return broken
}

async function describeGoal(at: OwnStack, goalId: string): Promise<string> {
  const answer = await at
    .call('GET', `/api/goals/${goalId}`)
    .catch((error: Error) => ({ status: 0, body: error.message }))
  if (answer.status !== 200) return `the goal cannot be read: ${JSON.stringify(answer)}`
  const { status, stage, reason, stages } = answer.body
  const attempts = stages
    .filter((row: { attempt: number }) => row.attempt > 0)
    .map(
      (row: Record<string, unknown>) =>
        `${row['stage']}#${row['attempt']} ${row['status']} ${row['reason'] ?? ''}`,
    )
  return `the goal is ${status} in ${stage} (${reason}): ${attempts.join('; ')}`
}

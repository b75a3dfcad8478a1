import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { CancelledFailure, Context } from '@temporalio/activity'
import { z } from 'zod'
import { acpAgentOf, findAdapter } from '../adapters/registry.ts'
import type { RunCommand, RunSpec, TerminalEvent } from '../contracts/agent.ts'
import { formatUtc } from '../contracts/figures.ts'
import { outputJsonSchema, STAGE_OUTPUTS } from '../contracts/outputs.ts'
import type { StageAgent } from '../contracts/schemas.ts'
import { type AgentStage, WRITING_STAGES } from '../contracts/stages.ts'
import { deliverInPrompt, missedCorrections, waitingCorrections } from '../db/corrections.ts'
import { loadFacts } from '../db/facts.ts'
import {
  createSegment,
  endSegment,
  listSegments,
  type RunPurpose,
  type RunRow,
  runsToStop,
  whyHeld,
} from '../db/runs.ts'
import { readSettings } from '../db/settings.ts'
import type { StageKey } from '../db/stages.ts'
import { hasSpoken } from '../db/transcripts.ts'
import { DiskLow, reasonOfLowDisk } from '../domain/disk.ts'
import { failureAdvice, failureInWords, isLimit, remedyFor } from '../domain/failures.ts'
import { agentEnvironment } from '../runner/environment.ts'
import { RunnerLost } from '../runner/runner.ts'
import { programOf } from './agent-search.ts'
import type { AgentWork } from './agent-work.ts'
import { aroundLimit, assignedAgent, assignedSince, firstAgent } from './around-limit.ts'
import type { ActivityDeps } from './deps.ts'
import { failuresBefore, limitPause } from './limit-pause.ts'
import { promptFor } from './prompt.ts'
import { reserveForStart, type UsedUp, watchReservation } from './reserve.ts'
import { createEventStore, isTerminal, recordEnd } from './run-record.ts'
import { sandboxOf } from './sandbox.ts'

export type AgentOutcome =
  | { type: 'answered'; output: unknown; adapter: string }
  | { type: 'failed'; reason: string }
  | { type: 'parked'; reason: string; untilMs: number; segment: number }
  | { type: 'budget'; summary: string }

export type Answered = Extract<AgentOutcome, { type: 'answered' }>

/** The goal was paused or cancelled meanwhile. The message says which. */
export class GoalHeld extends Error {}

type Step =
  | { type: 'attach'; run: RunRow }
  | { type: 'start'; purpose: RunPurpose; agent?: StageAgent }
  | { type: 'end'; outcome: AgentOutcome }

const MAX_REPAIRS = 2
/** The runner ends a tree that nobody renewed for this long. */
const LEASE_SECONDS = 900
const RENEW_MS = 30_000
/** After an interrupt the agent has this long to end by itself; then the run is reaped. */
const INTERRUPT_GRACE_MS = 8_000

/**
 * Brings a stage attempt to an answer through as many segments of one agent session as it takes. What to do next is
 * read from the segments' rows each time, so a fresh worker goes on exactly where the killed one stood.
 */
export async function runAgent(deps: ActivityDeps, asked: AgentWork): Promise<AgentOutcome> {
  const { key, opinion = 1 } = asked
  for (;;) {
    // a person may have said meanwhile who writes the task
    const facts = await loadFacts(deps.database.knex, key.goalId, key.taskId)
    const work = { ...asked, facts }
    const all = await listSegments(deps.database.knex, key)
    const own = all.filter((run) => run.opinion === opinion)
    const segments = stillCounting(own, work)
    const step = await unlessWaiting(deps, work, { segments, step: nextStep(work.key, segments) })
    if (step.type === 'end') return step.outcome
    const low = step.type === 'start' ? reasonOfLowDisk(deps.disk()) : undefined
    if (low !== undefined) throw new DiskLow(low)
    if (step.type === 'start') {
      throwIfEnding()
      await throwIfHeld(deps, work.key)
    }
    const run =
      step.type === 'attach' ? step.run : await nextSegment(deps, work, { all, segments, ...step })
    if ('summary' in run) return { type: 'budget', summary: run.summary }
    await follow(deps, work, run)
  }
}

/**
 * Runs of before a person gave the goal another profile, or the task another agent, say nothing of the one that it names: that one begins
 * anew. One at work goes on, and an answer stays an answer; one that does not have the asked shape is none, and is not that agent's to mend.
 */
export function stillCounting(
  segments: readonly RunRow[],
  work: Pick<AgentWork, 'agent' | 'key' | 'facts'>,
): RunRow[] {
  const since = assignedSince(work)
  const { adapter } = assignedAgent(work)
  return segments.filter(
    (run) =>
      run.adapter === adapter ||
      run.status === 'running' ||
      (run.status === 'done' && parseAnswer(work.key, run).success) ||
      Date.parse(run.created_at) >= since,
  )
}

/** A wait for the provider is cut short by a person who asks for it, by an agent that takes over, or by the settings. */
async function unlessWaiting(
  deps: ActivityDeps,
  work: AgentWork,
  { segments, step }: { segments: readonly RunRow[]; step: Step },
): Promise<Step> {
  const last = segments.at(-1)
  if (!last || step.type !== 'end' || step.outcome.type !== 'parked') return step
  if (work.tryNow === last.segment) return { type: 'start', purpose: 'resume' }
  const instead = await aroundLimit(deps, work, last)
  switch (instead.type) {
    case 'wait':
      return step
    case 'other':
      return { type: 'start', purpose: purposeOf(segments, instead.agent), agent: instead.agent }
    case 'fail': {
      const { exit_reason: limit, exit_detail: detail } = last
      const why = failureInWords(limit ?? 'rate_limit', detail, { goesOn: false })
      const until = formatUtc(new Date(step.outcome.untilMs))
      const reason = `${why} Waiting for limits is switched off (waitOnLimits): else it would go on at ${until}.`
      return { type: 'end', outcome: { type: 'failed', reason } }
    }
    default:
      return instead satisfies never
  }
}

/** An agent that comes back goes on with its own session: what it has read and done is paid for. */
function purposeOf(segments: readonly RunRow[], { adapter }: StageAgent): RunPurpose {
  const last = segments.findLast((run) => run.adapter === adapter)
  return last?.session_id && last.exit_reason !== 'session' ? 'resume' : 'start'
}

/** True when the stage attempt needs another run, or may: another agent can take a limited one's place. */
export function needsRun(key: StageKey, segments: readonly RunRow[]): boolean {
  const step = nextStep(key, segments)
  return step.type === 'start' || (step.type === 'end' && step.outcome.type === 'parked')
}

/** The stage attempt's answer, once its agent has given it. */
export function answerIn(key: StageKey, segments: readonly RunRow[]): Answered | undefined {
  const step = nextStep(key, segments)
  return step.type === 'end' && step.outcome.type === 'answered' ? step.outcome : undefined
}

/** What the segments so far call for. */
function nextStep(key: StageKey, segments: readonly RunRow[]): Step {
  const last = segments.at(-1)
  if (!last) return { type: 'start', purpose: 'start' }
  const stopped = stoppedOutcome(last)
  if (stopped) return { type: 'end', outcome: stopped }
  switch (last.status) {
    case 'running':
      return { type: 'attach', run: last }
    case 'done':
      return answerOf(key, segments, last)
    case 'interrupted':
      return { type: 'start', purpose: 'resume' }
    case 'failed':
    case 'lost':
      return remedy(segments, last)
    default:
      return last.status satisfies never
  }
}

/** A run that a person stopped is not resumed: its stage waits for them. One that answered before the stop came counts. */
function stoppedOutcome({ status, stopped_by }: RunRow): AgentOutcome | undefined {
  if (stopped_by === null || status === 'running' || status === 'done') return undefined
  const who = stopped_by.replace(/^person:/, '')
  return { type: 'failed', reason: `Stopped by ${who}. Retry to start it again.` }
}

/** The validated answer, or its errors for the agent to mend, at most twice. */
function answerOf(key: StageKey, segments: readonly RunRow[], last: RunRow): Step {
  const parsed = parseAnswer(key, last)
  const { adapter } = last
  if (parsed.success)
    return { type: 'end', outcome: { type: 'answered', output: parsed.data, adapter } }
  const repairs = segments.filter((segment) => segment.purpose === 'repair').length
  if (repairs < MAX_REPAIRS) return { type: 'start', purpose: 'repair' }
  const reason = `${failureAdvice('invalid_output')} ${errorsOf(parsed.error)}`
  return { type: 'end', outcome: { type: 'failed', reason } }
}

const parseAnswer = (key: StageKey, { output }: RunRow) =>
  STAGE_OUTPUTS[key.stage as AgentStage].safeParse(output?.output)

const errorsOf = (error: z.ZodError) => z.prettifyError(error).slice(0, 4000)

/** What a run that repairs an answer has to mend: from the rows, since the worker that saw it may be gone. */
async function errorsToMend(
  { database }: ActivityDeps,
  { key }: AgentWork,
  run: RunRow,
): Promise<string> {
  const segments = await listSegments(database.knex, key, run.opinion)
  const answered = segments.findLast((one) => one.segment < run.segment && one.status === 'done')
  const parsed = answered && parseAnswer(key, answered)
  return parsed?.success === false ? errorsOf(parsed.error) : ''
}

function remedy(segments: readonly RunRow[], last: RunRow): Step {
  const reason = last.exit_reason ?? 'crash'
  const does = remedyFor(reason, failuresBefore(segments, last, reason), limitPause(segments, last))
  const why = failureInWords(reason, last.exit_detail, { goesOn: does.type !== 'give_up' })
  if (does.type === 'resume') return { type: 'start', purpose: 'resume' }
  if (does.type === 'restart') return { type: 'start', purpose: 'start' }
  if (does.type === 'give_up') {
    const waited = isLimit(reason) ? ' It was waited for, for a day or more.' : ''
    return { type: 'end', outcome: { type: 'failed', reason: `${why}${waited}` } }
  }
  const untilMs = Date.parse(last.ended_at ?? new Date().toISOString()) + does.seconds * 1000
  if (untilMs <= Date.now()) return { type: 'start', purpose: 'resume' }
  const unnamed = last.until_guessed ? ' The agent told no time.' : ''
  const [since, until] = [waitsSince(segments, last), new Date(untilMs)].map(formatUtc)
  return {
    type: 'end',
    outcome: {
      type: 'parked',
      reason: `${why} Waits since ${since}.${unnamed} Goes on at ${until}.`,
      untilMs,
      segment: last.segment,
    },
  }
}

/** When the provider first refused what it refuses since: of many pauses in a row, the first. */
function waitsSince(segments: readonly RunRow[], last: RunRow): Date {
  const before = segments.findLastIndex(({ exit_reason }) => exit_reason !== last.exit_reason)
  const { ended_at } = segments[before + 1] ?? last
  return ended_at === null ? new Date() : new Date(ended_at)
}

/** The row of the next run with the tokens set aside for it; nothing that costs tokens is started on a budget that is used up. */
async function nextSegment(
  deps: ActivityDeps,
  work: AgentWork,
  next: {
    all: readonly RunRow[]
    segments: readonly RunRow[]
    purpose: RunPurpose
    agent?: StageAgent
  },
): Promise<RunRow | UsedUp> {
  // a session goes on with the agent that has it
  const last = next.segments.at(-1)
  const { adapter, model } = next.agent ?? last ?? (await firstAgent(deps, work))
  const own = next.segments.filter((segment) => segment.adapter === adapter)
  const sessionId = next.purpose === 'start' ? null : await sessionOf(deps, own)
  return deps.database.change(async (tx, emit) => {
    const reserved = await reserveForStart(tx, work.key, work.facts)
    if (typeof reserved !== 'number') return reserved
    return createSegment(tx, emit, {
      key: work.key,
      // by what it was decided from: who was held up since then gets the run that another worker began meanwhile
      segment: (next.all.at(-1)?.segment ?? 0) + 1,
      opinion: work.opinion ?? 1,
      purpose: next.purpose,
      adapter,
      model: model ?? null,
      sessionId,
      tokensReserved: reserved,
    })
  })
}

/** The session to go on with; none where its agent was cut off before it said a word: many keep no such session, and nothing is lost with it. */
async function sessionOf(
  { database }: ActivityDeps,
  own: readonly RunRow[],
): Promise<string | null> {
  const last = own.findLast((segment) => segment.session_id)
  if (!last?.session_id) return null
  const isCutOff = last.exit_reason === 'interrupted' || last.exit_reason === 'crash'
  const ofSession = own.filter((segment) => segment.session_id === last.session_id)
  const ids = ofSession.map(({ id }) => id)
  return isCutOff && !(await hasSpoken(database.knex, ids)) ? null : last.session_id
}

/** Starts the run if nobody did, and follows it to its end, storing every event before anything else happens to it. */
async function follow(deps: ActivityDeps, work: AgentWork, run: RunRow): Promise<void> {
  if (run.status !== 'running') return // another worker began it, and it has ended
  const { runner, database } = deps
  // one that told something was begun: without its folder nobody can follow it, and it is lost
  const isToBegin = run.last_seq === 0 && (await runner.state(run.id)) === 'absent'
  if (isToBegin && !(await begin(deps, work, run))) return
  const budget = watchReservation(deps, work.key, run)
  const store = await createEventStore(deps, run)
  const send = (command: RunCommand) => sendTo(deps, run, command)
  // those that came before there was a runner to take them
  for (const { id, text } of await waitingCorrections(database.knex, run.id))
    await send({ type: 'correct', id, text })
  const end = listenForEnd(deps, run)
  try {
    // a worker may have died between storing what reached the budget and interrupting
    if (await budget.isOver(await store([]))) await send({ type: 'interrupt' })
    if ((await runsToStop(database.knex, run.id)).length > 0) await send({ type: 'interrupt' })
    let terminal: TerminalEvent | undefined
    for await (const batch of runner.attach(run.id, {
      afterSeq: run.last_seq,
      renewEveryMs: RENEW_MS,
      tokensReserved: budget.part,
      signal: end.detach,
    })) {
      const used = await store(batch)
      terminal = batch.find(isTerminal) ?? terminal
      if (used > 0 && !terminal && (await budget.isOver(used))) await send({ type: 'interrupt' })
    }
    if (end.detached() && !terminal) throw end.reason()
    terminal ??= (await runner.exit(run.id))?.terminal
    if (!terminal) throw new RunnerLost(run.id)
    const stopped = (await runsToStop(database.knex, run.id)).length > 0
    await recordEnd(deps, run, { terminal, asked: end.asked() || stopped })
  } catch (error) {
    if (!(error instanceof RunnerLost)) throw error
    await runner.reap(run.id)
    const detail = error.why
    await endSegment(database, run, {
      status: end.asked() ? 'interrupted' : 'lost',
      terminal: { type: 'failed', reason: end.asked() ? 'interrupted' : 'crash', detail },
    })
  } finally {
    end.stop()
  }
  if (end.asked()) throw end.reason()
}

/** What a runner that hangs does not take is not the end of this work: whoever follows the run finds it lost. */
async function sendTo({ runner, log }: ActivityDeps, run: RunRow, command: RunCommand) {
  await runner
    .send(run.id, command)
    .catch((error) => log(`${command.type} not delivered`, { runId: run.id, error: String(error) }))
}

/** Starts the run's agent, unless somebody wants the work to stop: then the run is over before it began, and false is answered. */
async function begin(deps: ActivityDeps, work: AgentWork, run: RunRow): Promise<boolean> {
  const missed = await missedCorrections(deps.database.knex, work.key.goalId)
  const spec = await specFor(deps, work, run)
  // a person may have wanted it while no worker was there, of which this activity has not heard yet
  const isUnwanted = (await runsToStop(deps.database.knex, run.id)).length > 0
  if (isUnwanted || isAskedToStop(Context.current().cancellationSignal)) {
    const detail = 'asked to stop before the agent was started'
    await endSegment(deps.database, run, {
      status: 'interrupted',
      terminal: { type: 'failed', reason: 'interrupted', detail },
    })
  }
  throwIfEnding()
  if (isUnwanted) return false
  // before the start: whoever comes after a kill starts it with the same words
  if (missed.length > 0)
    await deps.database.change((tx, emit) => deliverInPrompt(tx, emit, { run, missed }))
  await deps.runner.start(spec)
  return true
}

/** No agent is started once this activity is to end, whoever wants that. */
function throwIfEnding(): void {
  const signal = Context.current().cancellationSignal
  if (signal.aborted) throw reasonOf(signal)
}

/** A worker that looks after pauses may have ended the run before this activity hears of one: nothing is started in its place. */
async function throwIfHeld({ database }: ActivityDeps, { goalId }: StageKey): Promise<void> {
  const why = await whyHeld(database.knex, goalId)
  if (why !== undefined) throw new GoalHeld(why)
}

const reasonOf = (signal: AbortSignal): Error =>
  signal.reason instanceof Error ? signal.reason : new CancelledFailure('CANCELLED')

/**
 * True when somebody wants the work to stop: a pause, a cancellation, an operator. Otherwise only this attempt of the
 * activity is over, because its worker stops or was silent for too long, and the run is left to the next attempt.
 */
export function isAskedToStop(signal: AbortSignal): boolean {
  return signal.aborted && ['CANCELLED', 'PAUSED', 'RESET'].includes(signal.reason?.message)
}

/**
 * Listens for the end of this activity. A pause or cancellation interrupts the agent and waits for it; a worker that
 * stops only lets go, because the run outlives it.
 */
function listenForEnd(deps: ActivityDeps, run: RunRow) {
  const signal = Context.current().cancellationSignal
  const detach = new AbortController()
  let asked = false
  let grace: NodeJS.Timeout | undefined
  const onAbort = () => {
    if (!isAskedToStop(signal)) return detach.abort()
    asked = true
    void sendTo(deps, run, { type: 'interrupt' })
    grace = setTimeout(() => {
      deps.runner
        .reap(run.id)
        .catch((error) => deps.log('run not reaped', { runId: run.id, error: String(error) }))
    }, INTERRUPT_GRACE_MS)
  }
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  return {
    detach: detach.signal,
    detached: () => detach.signal.aborted,
    asked: () => asked,
    reason: () => reasonOf(signal),
    stop: () => {
      clearTimeout(grace)
      signal.removeEventListener('abort', onAbort)
    },
  }
}

async function specFor(deps: ActivityDeps, work: AgentWork, run: RunRow): Promise<RunSpec> {
  const stage = work.key.stage as AgentStage
  const adapter = await findAdapter(run.adapter, deps.acpAgents)
  const acp = acpAgentOf(run.adapter, deps.acpAgents)
  const { path, ...program } = await programOf(deps, run.adapter)
  const settings = await readSettings(deps.database.knex)
  const outputSchema = outputJsonSchema(stage)
  // without a session nothing can be continued: the whole prompt again
  const purpose = run.session_id ? run.purpose : 'start'
  const errors = purpose === 'repair' ? await errorsToMend(deps, work, run) : ''
  const prompt = await promptFor(deps, { ...work, runId: run.id, purpose, errors, outputSchema })
  const cwd = work.workspace.path
  const access = WRITING_STAGES.includes(stage) ? 'write' : 'read'
  const sandbox = sandboxOf(deps, work.facts, { path: cwd, access })
  return {
    runId: run.id,
    adapter: run.adapter,
    ...(acp ? { acp } : {}),
    ...program,
    cwd,
    prompt,
    access,
    ...(sandbox ? { sandbox } : {}),
    newSessionId: randomUUID(),
    ...(run.session_id ? { resumeSessionId: run.session_id } : {}),
    ...(run.model ? { model: run.model } : {}),
    outputSchema,
    env: agentEnvironment({
      base: deps.environment,
      tmpdir: deps.runner.tmpdir(run.id),
      loginVariables: adapter?.loginVariables ?? [],
      extra: {
        DEMO_HOME: join(deps.home, 'agents', 'demo'),
        ...(path === undefined ? {} : { PATH: path }),
      },
    }),
    silenceSeconds: settings.agentSilenceSeconds,
    leaseSeconds: LEASE_SECONDS,
    tokensReserved: run.tokens_reserved,
  }
}

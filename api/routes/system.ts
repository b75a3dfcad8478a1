import { setTimeout as delay } from 'node:timers/promises'
import { PATH_SETTINGS } from '../../contracts/default-settings.ts'
import { SYSTEM_STREAM } from '../../contracts/ids.ts'
import { routes } from '../../contracts/routes.ts'
import type { Settings } from '../../contracts/schemas.ts'
import { askForScan } from '../../db/adapters.ts'
import type { Database } from '../../db/connect.ts'
import { createCorrection } from '../../db/corrections.ts'
import { readEvents, readLastEvents } from '../../db/events.ts'
import { lateMessages } from '../../db/outbox.ts'
import { setPoolPaused } from '../../db/pool.ts'
import { type WorkerPresence, workerPresence } from '../../db/presence.ts'
import { askAboutProgram } from '../../db/programs.ts'
import { isRefusal, type Refusal, refuse } from '../../db/refusal.ts'
import { resolveId } from '../../db/resolve.ts'
import { stopRun } from '../../db/runs.ts'
import { readSettings, writeSettings } from '../../db/settings.ts'
import { resolveStream } from '../../db/streams.ts'
import { agentDetail, listAdapters, listAgents, readTranscript } from '../../db/views/agents.ts'
import { readLedger } from '../../db/views/ledger.ts'
import { readOverview } from '../../db/views/overview.ts'
import { poolState } from '../../db/views/pool.ts'
import type { Handlers } from '../bind.ts'
import type { ChangeContext, Changes } from '../change.ts'
import type { ApiDeps } from '../deps.ts'
import { suggestFrom } from '../suggest.ts'

type AgentRoutes = Pick<
  Handlers,
  | 'listAgents'
  | 'getAgent'
  | 'correctAgent'
  | 'stopAgent'
  | 'getTranscript'
  | 'listAdapters'
  | 'scanAdapters'
>
type PoolRoutes = Pick<Handlers, 'getPool' | 'pausePool' | 'resumePool'>
type SystemRoutes = Pick<
  Handlers,
  | 'health'
  | 'ready'
  | 'getOverview'
  | 'listEvents'
  | 'getLedger'
  | 'getSettings'
  | 'updateSettings'
  | 'runDoctor'
>

export function agentRoutes({ database: { knex } }: ApiDeps, changes: Changes): AgentRoutes {
  return {
    listAgents: ({ query }) => listAgents(knex, query),
    async getAgent({ params }) {
      const run = await resolveId(knex, 'run', params.id)
      return isRefusal(run) ? run : agentDetail(knex, run.id)
    },
    correctAgent: ({ params, body, idempotencyKey }) =>
      changes.create(
        {
          route: 'correctAgent',
          status: routes.correctAgent.status,
          idempotencyKey,
          body: { ...params, ...body },
        },
        async ({ tx, emit, actor }) => {
          const run = await resolveId(tx, 'run', params.id)
          if (isRefusal(run)) return run
          const made = await createCorrection(tx, emit, { runId: run.id, text: body.text, actor })
          if (isRefusal(made)) return made
          await suggestFrom(tx, emit, { ...made.correction, goalId: made.goalId })
          return made.correction
        },
      ),
    stopAgent: ({ params }) =>
      changes.change(async ({ tx, emit, actor }) => {
        const run = await resolveId(tx, 'run', params.id)
        if (isRefusal(run)) return run
        const refused = await stopRun(tx, emit, { runId: run.id, actor })
        return refused ?? agentDetail(tx, run.id)
      }),
    async getTranscript({ params, query }) {
      const run = await resolveId(knex, 'run', params.id)
      return isRefusal(run) ? run : readTranscript(knex, run.id, query)
    },
    scanAdapters: async () => {
      await changes.change(({ tx }) => askForScan(tx))
      return { asked: true }
    },
    listAdapters: async () => ({ items: await listAdapters(knex), next: null }),
  }
}

export function poolRoutes({ database }: ApiDeps, changes: Changes): PoolRoutes {
  const setPaused = (paused: boolean) =>
    changes.change(async ({ tx, emit, actor }) => {
      await setPoolPaused(tx, emit, { paused, actor })
      return poolState(tx)
    })
  return {
    getPool: () => poolState(database.knex),
    pausePool: () => setPaused(true),
    resumePool: () => setPaused(false),
  }
}

/** A database that hangs is not waited for: whoever asks wants to know now. */
const DATABASE_MS = 2_000
const inTime = <T>(answer: Promise<T>) =>
  Promise.race([answer, delay(DATABASE_MS, undefined, { ref: false })])

const NO_WORKER: WorkerPresence = { lives: false, silentSince: null }

export function systemRoutes(deps: ApiDeps, changes: Changes): SystemRoutes {
  const { knex } = deps.database
  return {
    health: async () => ({ status: 'ok' }),
    async ready() {
      const [presence, temporal, late] = await Promise.all([
        inTime(workerPresence(knex)).catch(() => undefined), // that it does not answer is the answer
        deps.temporalReady(),
        inTime(lateMessages(knex)).then(
          (messages) => messages ?? [],
          () => [],
        ),
      ])
      const { lives: worker, silentSince: workerSilentSince } = presence ?? NO_WORKER
      const [oldest] = late
      const undelivered = oldest
        ? { messages: late.length, since: oldest.since, error: oldest.error }
        : null
      const status = temporal && worker && !undelivered ? 'ok' : 'degraded'
      return {
        ...{ status, postgres: presence !== undefined, temporal, worker, workerSilentSince },
        undelivered,
      }
    },
    async getOverview({ query }) {
      return { version: deps.version, ...(await readOverview(knex, query)) }
    },
    async listEvents({ query }) {
      const stream = await resolveStream(knex, query.stream)
      if (isRefusal(stream)) return stream
      if (stream.kind === 'run')
        return refuse('bad_stream', 'A transcript is not a stream of events.', {
          advice: 'Read /api/agents/<id>/transcript.',
        })
      if (query.last !== undefined) {
        const items = await readLastEvents(knex, { stream: stream.name, last: query.last })
        return { items, next: null }
      }
      const items = await readEvents(knex, { ...query, stream: stream.name })
      const last = items.at(-1)
      const seq = stream.kind === 'feed' ? last?.feedSeq : last?.seq
      return { items, next: seq && items.length === query.limit ? String(seq) : null }
    },
    getLedger: ({ query }) => readLedger(knex, query),
    getSettings: () => readSettings(knex),
    updateSettings: async ({ body, mustBe }) =>
      (await refuseProgram(deps.database, body)) ??
      changes.change(async (at) => {
        // others who change settings wait, so that what is checked here is still true when it is written
        await at.tx.raw('lock table settings in share row exclusive mode')
        mustBe(await readSettings(at.tx))
        return changeSettings(at, body)
      }),
    runDoctor: async ({ body }) => ({ findings: await deps.doctor(body.repair) }),
  }
}

type SettingsChange = { [K in keyof Settings]?: Settings[K] | undefined }

/** A program that would not be started is refused when it is set, and not when a goal needs it. */
async function refuseProgram(
  database: Database,
  body: SettingsChange,
): Promise<Refusal | undefined> {
  for (const key of Object.values(PATH_SETTINGS)) {
    const path = body[key]
    const why = path ? await askAboutProgram(database, path) : undefined
    if (why !== undefined)
      return refuse('bad_setting', `That cannot be ${key}: ${why}.`, {
        advice: 'Name a program that only you can change, or none: then Dispatch looks for it.',
      })
  }
  return undefined
}

/** A goal cannot have more runs than there are: asked for, it is refused; a lower total takes the share along. */
async function changeSettings(
  { tx, emit, actor }: ChangeContext,
  body: SettingsChange,
): Promise<Settings | Refusal> {
  const before = await readSettings(tx)
  const total = body.maxConcurrent ?? before.maxConcurrent
  if (body.maxPerGoal !== undefined && body.maxPerGoal > total)
    return refuse(
      'bad_setting',
      `maxPerGoal is ${body.maxPerGoal}, more than maxConcurrent (${total}).`,
      {
        advice: 'Raise maxConcurrent as well.',
      },
    )
  const wanted = { ...body, maxPerGoal: body.maxPerGoal ?? Math.min(before.maxPerGoal, total) }
  const different = Object.entries(wanted).filter(
    ([key, value]) => value !== undefined && value !== before[key as keyof Settings],
  )
  if (different.length === 0) return before
  await writeSettings(tx, Object.fromEntries(different) as Partial<Settings>, actor)
  const paths: readonly string[] = Object.values(PATH_SETTINGS)
  if (different.some(([key]) => paths.includes(key))) await askForScan(tx)
  emit({
    type: 'settings.changed',
    stream: SYSTEM_STREAM,
    actor,
    data: { keys: different.map(([key]) => key) },
  })
  return readSettings(tx)
}

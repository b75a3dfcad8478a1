import { beforeEach, expect, test } from 'vitest'
import type { RunEvent } from '../contracts/agent.ts'
import { AGENT_STAGES } from '../contracts/stages.ts'
import type { Database } from '../db/connect.ts'
import { createSegment, type RunRow, readRun } from '../db/runs.ts'
import type { StageKey } from '../db/stages.ts'
import { storeEvents } from '../db/transcripts.ts'
import { RunnerLost } from '../runner/runner.ts'
import { databaseOfFile } from '../test/support/database.ts'
import { abandonAttempt } from './abandon-attempt.ts'
import type { ActivityDeps } from './deps.ts'
import { createLifecycleActivities } from './lifecycle.ts'

let database: Database
let key: StageKey
let run: RunRow

databaseOfFile((made) => {
  database = made
})
beforeEach(async () => {
  const { knex } = database
  const place = { name: 'p', path: `/p/${Math.random()}`, default_branch: 'main' }
  const [project] = await knex('projects').insert(place).returning('id')
  const stages = Object.fromEntries(AGENT_STAGES.map((stage) => [stage, { adapter: 'demo' }]))
  const [goal] = await knex('goals')
    .insert({
      ...{ project_id: project.id, title: 'g', description: 'x', target_branch: 'main' },
      profile: JSON.stringify({ stages }),
    })
    .returning('id')
  key = { goalId: goal.id, taskId: null, stage: 'spec', attempt: 1 }
  const segment = { segment: 1, opinion: 1, purpose: 'start', adapter: 'demo' } as const
  const rest = { model: null, sessionId: null, tokensReserved: 0 }
  run = await database.change((tx, emit) => createSegment(tx, emit, { key, ...segment, ...rest }))
  await storeEvents(database, run.id, [said])
})

const at = new Date().toISOString()
const usage = { input: 90, output: 20, cacheRead: 0, cacheWrite: 0, reasoning: 0 }
const said: RunEvent = { type: 'text', text: 'The first words.', seq: 1, at }
/** What the run told after its worker was gone. */
const later: RunEvent[] = [
  { type: 'text', text: 'The last words.', seq: 2, at },
  { type: 'usage', usage, seq: 3, at },
]

/** A runner whose run told this, and is killed by the reap unless it was over. */
function depsOf(told: readonly RunEvent[]): ActivityDeps {
  let reaped = false
  const isOver = told.some(({ type }) => type === 'done' || type === 'failed')
  const runner = {
    reap: async () => {
      reaped = true
    },
    state: async () => (isOver ? 'exited' : reaped ? 'lost' : 'running'),
    prompt: async () => 'a prompt',
    exit: async () => undefined,
    async *attach(id: string, { afterSeq }: { afterSeq: number }): AsyncGenerator<RunEvent[]> {
      yield told.filter(({ seq }) => seq > afterSeq)
      if (!isOver) throw new RunnerLost(id)
    },
  }
  return { database, runner } as unknown as ActivityDeps
}

const ends: [string, (deps: ActivityDeps) => Promise<void>][] = [
  ['a failed stage', (deps) => abandonAttempt(deps, key, 'the stage failed')],
  [
    'a cancelled goal',
    (deps) =>
      createLifecycleActivities(deps, async () => false).endGoal({
        goalId: key.goalId,
        reason: 'not wanted',
      }),
  ],
]

test.each(ends)('the run of %s keeps its last words and its tokens', async (_of, end) => {
  await end(depsOf([said, ...later]))
  expect(await readRun(database.knex, run.id)).toMatchObject({
    ...{ status: 'interrupted', last_seq: 3, last_line: 'The last words.' },
    ...{ tokens_in: 90, tokens_out: 20, tokens_estimated: 0 },
  })
})

test('a correction that no agent will read, because its goal is over, says so', async () => {
  const made = { run_id: run.id, text: 'Use tabs', created_by: 'person:sam' }
  await database.knex('corrections').insert(made)
  const [, end] = ends[1] as (typeof ends)[number]
  await end(depsOf([said]))
  expect(await database.knex('corrections').where({ run_id: run.id }).first()).toMatchObject({
    ...{ state: 'expired', note: expect.stringContaining('no agent of the goal was asked') },
  })
  const told = await database.knex('events').where({ type: 'correction.status' }).pluck('data')
  expect(told).toMatchObject([{ state: 'expired', text: 'Use tabs' }])
})

test.each(ends)('the run of %s that was over by itself keeps its answer', async (_of, end) => {
  const output = { title: 'a spec' }
  await end(depsOf([said, ...later, { type: 'done', text: 'Done.', output, seq: 4, at }]))
  expect(await readRun(database.knex, run.id)).toMatchObject({
    ...{ status: 'done', tokens_in: 90, output: { text: 'Done.', output } },
  })
})

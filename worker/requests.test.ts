import { expect, test } from 'vitest'
import type { RunState } from '../contracts/agent.ts'
import type { Database } from '../db/connect.ts'
import { createSegment } from '../db/runs.ts'
import { RunnerSilent } from '../runner/runner.ts'
import { databaseOfFile } from '../test/support/database.ts'
import { until } from '../test/support/until.ts'
import { answerRequests } from './requests.ts'

let url: string
let database: Database

databaseOfFile((made, itsUrl) => {
  database = made
  url = itsUrl
})

/** The run of a goal, which a worker followed that is gone. */
async function runOf(goal: { paused?: boolean; ending?: boolean }): Promise<string> {
  const place = { name: 'p', path: `/p/${Math.random()}`, default_branch: 'main' }
  const [project] = await database.knex('projects').insert(place).returning('id')
  const row = { title: 'g', description: 'x', profile: '{}', target_branch: 'main' }
  const [{ id }] = await database
    .knex('goals')
    .insert({ project_id: project.id, ...row, ...goal })
    .returning('id')
  const key = { goalId: id, taskId: null, stage: 'spec', attempt: 1 } as const
  const segment = { segment: 1, opinion: 1, purpose: 'start', adapter: 'demo' } as const
  const rest = { model: null, sessionId: null, tokensReserved: 0 }
  const run = await database.change((tx, emit) =>
    createSegment(tx, emit, { key, ...segment, ...rest }),
  )
  return run.id
}

test('agents of paused and cancelled goals are interrupted though nobody follows them, and their ends are recorded', async () => {
  const states = new Map<string, RunState>()
  const run = async (goal: Parameters<typeof runOf>[0], state: RunState) => {
    const id = await runOf(goal)
    states.set(id, state)
    return id
  }
  await run({}, 'running')
  const paused = await run({ paused: true }, 'running')
  const cancelled = await run({ ending: true }, 'running')
  const over = await run({ paused: true }, 'exited')
  // its worker is about to start it
  await run({ paused: true }, 'absent')
  const interrupted: string[] = []
  const ended: string[] = []
  const errors: Error[] = []
  const requests = answerRequests({
    url: url,
    database,
    runner: {
      send: async (id) => {
        if (states.get(id) !== 'running') return 'gone'
        interrupted.push(id)
        return 'sent'
      },
      state: async (id) => states.get(id) ?? 'absent',
    },
    endRun: async ({ id }) => void ended.push(id),
    scanAdapters: async () => undefined,
    programProblem: async () => undefined,
    onError: (error) => void errors.push(error),
  })
  await until(() => ended.length > 0 && interrupted.length > 1, { ms: 10_000, what: 'a look' })
  await requests.close()
  expect(errors).toEqual([])
  expect([...new Set(interrupted)].sort()).toEqual([paused, cancelled].sort())
  expect([...new Set(ended)]).toEqual([over])
})

test('a run whose runner hangs holds up no other: the others are stopped and corrected at once, and it is ended when it does not answer', async () => {
  const hangs = await runOf({ paused: true })
  const stopped = await runOf({ paused: true })
  const corrected = await runOf({})
  await database.knex('corrections').insert([
    { run_id: hangs, text: 'Use tabs.', created_by: 'person:ada' },
    { run_id: corrected, text: 'Use tabs.', created_by: 'person:ada' },
  ])
  const told: string[] = []
  const ended: string[] = []
  let giveUp: () => void = () => undefined
  const silence = new Promise<never>((_, reject) => {
    giveUp = () => reject(new RunnerSilent(hangs))
  })
  silence.catch(() => undefined)
  const requests = answerRequests({
    url: url,
    database,
    runner: {
      send: async (id, { type }) => {
        if (id === hangs) return silence
        told.push(`${type} ${id}`)
        return 'sent'
      },
      state: async () => 'running',
    },
    endRun: async ({ id }) => void ended.push(id),
    scanAdapters: async () => undefined,
    programProblem: async () => undefined,
    onError: () => undefined,
  })
  const all = [`interrupt ${stopped}`, `correct ${corrected}`]
  const isTold = () => all.every((line) => told.includes(line))
  await until(isTold, { ms: 10_000, what: 'the other runs to be told', everyMs: 10 })
  expect(ended).toEqual([])
  giveUp()
  await requests.close()
  expect(ended).toEqual([hangs])
})

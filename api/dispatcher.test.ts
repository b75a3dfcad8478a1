import { Client, ServiceError, type WorkflowHandle } from '@temporalio/client'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, inject, test, vi } from 'vitest'
import { formatUtc } from '../contracts/figures.ts'
import { goalStream, goalWorkflowId, taskWorkflowId } from '../contracts/ids.ts'
import { connect, type Database } from '../db/connect.ts'
import { databaseFindings, told } from '../db/doctor.ts'
import { retryGoal } from '../db/goals.ts'
import { enqueue } from '../db/outbox.ts'
import { seedProfiles } from '../db/profiles.ts'
import { goalSummary } from '../db/views/goals.ts'
import { connectTemporal } from '../temporal/connection.ts'
import { createTestDatabase } from '../test/support/database.ts'
import { startTcpGate } from '../test/support/tcp-gate.ts'
import { createDispatcher, type Dispatcher } from './dispatcher.ts'
import { lostGoalsFinding } from './lost-goals.ts'
import { insertGoal, insertReview } from './support/rows.ts'
import { createTemporalGateway } from './temporal-gateway.ts'

let database: Database
let undo: (() => Promise<unknown>)[]
beforeEach(async () => {
  const own = await createTestDatabase()
  database = connect(own.url)
  undo = [own.drop, () => database.close()]
  await seedProfiles(database)
})
afterEach(async () => {
  for (const step of undo.reverse()) await step()
})

async function temporal(): Promise<Client> {
  const connection = await connectTemporal({ address: inject('temporalAddress') })
  undo.push(() => connection.close())
  return new Client({ connection })
}

function dispatcher(client: () => Promise<Client>): Dispatcher {
  const made = createDispatcher({
    ...{ database, client, log: pino({ level: 'silent' }), taskQueue: `t-${crypto.randomUUID()}` },
    ...{ goalUrl: (id: string) => `http://127.0.0.1/goals/${id}`, everyMs: 50 },
  })
  undo.push(() => made.close())
  return made
}

const pending = async () => (await database.knex('outbox').whereNull('done_at')).length
const delivered = () => vi.waitFor(async () => expect(await pending()).toBe(0), { timeout: 10_000 })

async function startGoal(goalId: string, title = 'Größe 😀 '.repeat(40)) {
  const payload = { goalId, title, projectId: crypto.randomUUID() }
  await database.change((tx) =>
    enqueue(tx, { kind: 'start_goal', workflowId: goalWorkflowId(goalId), payload }),
  )
}
const signal = (workflowId: string, args: unknown) =>
  database.change((tx) =>
    enqueue(tx, { kind: 'signal', workflowId, payload: { signal: 'setPaused', args } }),
  )

test('a goal is started once, and what is told of it afterwards arrives in order', async () => {
  const client = await temporal()
  const goalId = await insertGoal(database)
  await startGoal(goalId)
  await signal(goalWorkflowId(goalId), { paused: true })
  await signal(goalWorkflowId(goalId), { paused: false })
  await startGoal(goalId) // as if the first acknowledgement had been lost
  dispatcher(async () => client)
  await delivered()
  const handle = client.workflow.getHandle(goalWorkflowId(goalId))
  undo.push(() => handle.terminate())
  const { events } = await handle.fetchHistory()
  const told = events?.flatMap(({ workflowExecutionSignaledEventAttributes: one }) =>
    one ? [JSON.parse(Buffer.from(one.input?.payloads?.[0]?.data ?? []).toString())] : [],
  )
  expect(told).toEqual([{ paused: true }, { paused: false }])
  const { staticDetails } = await handle
    .describe()
    .then(async (one) => ({ staticDetails: await one.staticDetails() }))
  expect(staticDetails).toContain(`/goals/${goalId}`)
})

test('nothing is lost or delayed while Temporal is away', async () => {
  const client = await temporal()
  const goalId = await insertGoal(database)
  await startGoal(goalId)
  let tries = 0
  dispatcher(async () => {
    tries += 1
    if (tries < 4) throw new Error('away')
    return client
  })
  await delivered()
  const rows = await database.knex('outbox')
  expect(rows).toMatchObject([{ attempts: 1, last_error: null }])
  await client.workflow.getHandle(goalWorkflowId(goalId)).terminate()
})

test('Temporal that goes away after the first connection delays nothing once it is back', async () => {
  const gate = await startTcpGate(inject('temporalAddress'))
  undo.push(() => gate.close())
  const gateway = createTemporalGateway({
    connect: () => connectTemporal({ address: gate.address }),
    toClient: (connection) => new Client({ connection }),
  })
  undo.push(() => gateway.close())
  const client = await gateway.client()
  await gate.close()
  const [first, second] = [await insertGoal(database), await insertGoal(database)]
  await startGoal(first)
  await startGoal(second)
  let tries = 0
  dispatcher(async () => {
    tries += 1
    return gateway.client()
  })
  await vi.waitFor(() => expect(tries).toBeGreaterThan(2), { timeout: 10_000 })
  await gate.open()
  await delivered()
  expect(await database.knex('outbox')).toMatchObject([{ attempts: 1 }, { attempts: 1 }])
  for (const id of [first, second]) await client.workflow.getHandle(goalWorkflowId(id)).terminate()
}, 30_000)

test('a delivery that meets no server is due again within seconds, however often it failed', async () => {
  const client = await temporal()
  await startGoal(await insertGoal(database))
  await database.knex('outbox').update({ attempts: 9 })
  const gone = Object.assign(new Error('no connection'), { code: 14, details: '', metadata: {} })
  const start = vi.spyOn(client.workflow, 'start').mockRejectedValue(gone)
  dispatcher(async () => client)
  await vi.waitFor(() => expect(start).toHaveBeenCalled(), { timeout: 10_000 })
  await vi.waitFor(
    async () => {
      const [row] = await database
        .knex('outbox')
        .select('*', database.knex.raw('extract(epoch from next_at - now())::float8 as waits'))
      expect(row).toMatchObject({ attempts: 10, last_error: 'no connection' })
      expect(row.waits).toBeLessThanOrEqual(5)
    },
    { timeout: 10_000 },
  )
})

test('what Temporal does not take is named with its goal, since when and why, and is sent anew the moment that it is back', async () => {
  const client = await temporal()
  const goalId = await insertGoal(database)
  await startGoal(goalId)
  const since = new Date(Date.now() - 15_000).toISOString()
  await database.knex('outbox').update({ attempts: 5, created_at: since }) // so it would wait for 32 seconds
  const cause = new Error('no mapping for search attribute GoalStatus')
  const start = vi.spyOn(client.workflow, 'start')
  start.mockRejectedValueOnce(new ServiceError('Failed to start Workflow', { cause }))
  let isAway = false
  dispatcher(async () => {
    if (!isAway) return client
    isAway = false // the next time it is back
    throw new Error('away')
  })
  await vi.waitFor(
    async () => expect(await database.knex('outbox')).toMatchObject([{ attempts: 6 }]),
    { timeout: 10_000 },
  )
  const why = 'Failed to start Workflow: no mapping for search attribute GoalStatus'
  const { reason, shortId } = await goalSummary(database.knex, goalId)
  expect(reason).toContain(
    `since ${formatUtc(new Date(since))} Temporal has not taken what it was told of this goal (${why})`,
  )
  const outbox = async () =>
    (await databaseFindings(database, false)).find(({ name }) => name === 'outbox')
  expect(await outbox()).toMatchObject({
    ok: false,
    message: `1 message waits for Temporal, since ${since}: ${why}. It is what moves ${shortId}`,
  })
  isAway = true
  await vi.waitFor(() => expect(isAway).toBe(false), { timeout: 10_000 })
  await delivered()
  expect((await goalSummary(database.knex, goalId)).reason).toBeNull()
  expect(await outbox()).toMatchObject({ ok: true })
  await client.workflow.getHandle(goalWorkflowId(goalId)).terminate()
})

test('a message to a goal that is over is done with, and said', async () => {
  const client = await temporal()
  const goalId = await insertGoal(database)
  await database.knex('goals').update({ status: 'completed' })
  await signal(goalWorkflowId(goalId), { paused: true })
  dispatcher(async () => client)
  await delivered()
  await expect(client.workflow.getHandle(goalWorkflowId(goalId)).describe()).rejects.toThrow()
  expect(await database.knex('events')).toMatchObject([{ type: 'system.notice', stream: 'system' }])
})

/** What the workflow of a goal was told first. */
async function toldFirst(client: Client, goalId: string) {
  const handle = client.workflow.getHandle(goalWorkflowId(goalId))
  undo.push(() => handle.terminate())
  const { events } = await handle.fetchHistory()
  const [told] =
    events?.flatMap((event) => event.workflowExecutionSignaledEventAttributes ?? []) ?? []
  const data = Buffer.from(told?.input?.payloads?.[0]?.data ?? []).toString()
  return { signal: told?.signalName, args: JSON.parse(data) }
}

const pauses = (goalId: string) => signal(goalWorkflowId(goalId), { paused: true })
const repairs = async (_goalId: string, client: Client) => {
  expect(await lostGoalsFinding(database, client, true)).toMatchObject({ ok: true, repaired: true })
}

test.each([
  ['was never there', 'a person pauses it', undefined, pauses],
  ['an operator ended', 'a person pauses it', (goal: WorkflowHandle) => goal.terminate(), pauses],
  ['was never there', 'the doctor repairs', undefined, repairs],
])(
  'a goal at work whose workflow %s gets a new one when %s, which is told what holds',
  async (_was, _when, end, ask) => {
    const client = await temporal()
    const goalId = await insertGoal(database)
    await database.knex('goals').where({ id: goalId }).update({ status: 'paused', paused: true })
    const args = { workflowId: goalWorkflowId(goalId), taskQueue: 'none' }
    if (end) await end(await client.workflow.start('goalWorkflow', args))
    const later = await insertGoal(database)
    await startGoal(later) // its start is on the way, so it is not lost
    const { number } = await database.knex('goals').where({ id: goalId }).first('number')
    expect(await lostGoalsFinding(database, client, false)).toMatchObject({
      ...{ ok: false, message: `Temporal does not know G-${number}: nothing moves it` },
    })
    await ask(goalId, client)
    dispatcher(async () => client)
    await delivered()
    undo.push(() => client.workflow.getHandle(goalWorkflowId(later)).terminate())
    expect(await toldFirst(client, goalId)).toEqual({ signal: 'setPaused', args: { paused: true } })
    expect(await lostGoalsFinding(database, client, false)).toMatchObject({ ok: true })
    expect(await database.knex('events')).toMatchObject([
      { type: 'system.notice', stream: goalStream(goalId), data: { level: 'warn' } },
    ])
  },
)

test('the doctor says so where Temporal hangs while it is asked about goals', async () => {
  const goalId = await insertGoal(database)
  await database.knex('goals').where({ id: goalId }).update({ status: 'paused', paused: true })
  const gate = await startTcpGate(inject('temporalAddress'))
  const connection = await connectTemporal({ address: gate.address })
  undo.push(
    () => connection.close(),
    () => gate.close(),
  )
  gate.hold()
  const client = new Client({ connection })
  expect(await told('goals', () => lostGoalsFinding(database, client, false))).toMatchObject({
    ...{ ok: false, message: expect.stringContaining('DEADLINE_EXCEEDED') },
  })
})

test('a goal that nothing moves any more because Temporal lost it asks for a person, whose retry begins it again', async () => {
  const client = await temporal()
  const { knex } = database
  const ids = [await insertGoal(database), await insertGoal(database), await insertGoal(database)]
  const [lost, decided, there] = ids as [string, string, string]
  await insertReview(database, decided) // whose decision begins it again
  const args = { workflowId: goalWorkflowId(there), taskQueue: 'none' }
  const found = await client.workflow.start('goalWorkflow', args)
  undo.push(() => found.terminate())
  const wrong = { temporal: 'not this Temporal' } // as of another one that was asked before
  await knex('goals').where({ id: there }).update({ status: 'needs_attention', attention: wrong })
  dispatcher(async () => client)
  const shown = async () => {
    const { status, reason } = await goalSummary(knex, lost)
    return `${status}: ${reason}`
  }
  const asks = /^needs_attention: Temporal does not know this goal .* retry begins it again/
  await vi.waitFor(async () => expect(await shown()).toMatch(asks), { timeout: 10_000 })
  expect((await goalSummary(knex, decided)).status).toBe('active')
  expect((await goalSummary(knex, there)).status).toBe('active')
  await database.change((tx, emit) => retryGoal(tx, emit, { id: lost, actor: 'person:sam' }))
  await delivered()
  expect(await toldFirst(client, lost)).toMatchObject({ signal: 'retryStage' })
  expect(await shown()).toBe('active: null')
})

test('a goal that asked because Temporal lost it asks no more once it began again, whatever began it', async () => {
  const client = await temporal()
  const goalId = await insertGoal(database)
  dispatcher(async () => client)
  const status = async () => (await goalSummary(database.knex, goalId)).status
  await vi.waitFor(async () => expect(await status()).toBe('needs_attention'), { timeout: 10_000 })
  await repairs(goalId, client)
  await delivered()
  expect(await toldFirst(client, goalId)).toMatchObject({ signal: 'setPaused' })
  expect(await status()).toBe('active')
})

test('a decision about a task brings its lost goal back, and one that is ending goes on ending', async () => {
  const client = await temporal()
  const goalId = await insertGoal(database)
  const task = { goal_id: goalId, key: 'a', title: 'a', description: 'a', role: 'implement' }
  const [{ id }] = await database.knex('tasks').insert(task).returning('id')
  await database.knex('goals').update({ ending: true, reason: 'ending: enough' })
  await signal(taskWorkflowId(id), { paused: false })
  dispatcher(async () => client)
  await delivered()
  expect(await toldFirst(client, goalId)).toEqual({
    signal: 'cancelGoal',
    args: { reason: 'enough' },
  })
  await signal(taskWorkflowId(id), { paused: false }) // now the goal is there, so it is the task that is over
  await delivered()
  const streams = await database.knex('events').orderBy('feed_seq').pluck('stream')
  expect(streams).toEqual([goalStream(goalId), 'system'])
})

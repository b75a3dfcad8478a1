import { randomUUID } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { databaseOfFile } from '../test/support/database.ts'
import type { Database } from './connect.ts'
import { databaseFindings } from './doctor.ts'
import { acquireLease } from './pool.ts'

let database: Database
databaseOfFile((own) => {
  database = own
})

async function orphanedRun(): Promise<string> {
  const { knex } = database
  const path = `/p/${randomUUID()}`
  const [project] = await knex('projects')
    .insert({ name: 'p', path, default_branch: 'main' })
    .returning('id')
  const row = { project_id: project.id, title: 'g', description: 'g', profile: '{}' }
  const [goal] = await knex('goals')
    .insert({ ...row, target_branch: 'main' })
    .returning('id')
  const [run] = await knex('agent_runs')
    .insert({
      ...{ goal_id: goal.id, stage: 'spec', attempt: 1, segment: 1, purpose: 'start' },
      ...{ adapter: 'demo', status: 'running' },
    })
    .returning('id')
  return run.id
}

test('a run whose stage is over is lost, unless it ends by its own word while that is repaired', async () => {
  const { knex } = database
  const id = await orphanedRun()
  const runs = async (repair: boolean) => (await databaseFindings(database, repair))[3]
  const status = async () => (await knex('agent_runs').where({ id }).first()).status
  const found = '1 agent runs count as running although their stage is over'
  expect(await runs(false)).toMatchObject({ ok: false, message: found })
  const repairing = await knex.transaction(async (tx) => {
    await tx('agent_runs').where({ id }).update({ status: 'done' })
    const end = runs(true)
    const waits = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`
    await vi.waitFor(async () => expect((await knex.raw(waits)).rowCount).toBe(1), 10_000)
    return { end }
  })
  expect(await repairing.end).toMatchObject({ ok: true, repaired: false })
  expect(await status()).toBe('done')
  await knex('agent_runs').where({ id }).update({ status: 'running' })
  expect(await runs(true)).toMatchObject({ ok: true, message: found, repaired: true })
  expect(await status()).toBe('lost')
})

test('what is repaired is told of, so that pages that are open show it', async () => {
  const { knex } = database
  const runId = await orphanedRun()
  const { goal_id: goalId } = await knex('agent_runs').where({ id: runId }).first('goal_id')
  await acquireLease(database, { id: `${goalId}/spec/1`, goalId, stage: 'spec', adapter: 'demo' })
  await knex('goals').where({ id: goalId }).update({ status: 'cancelled' })
  const { seq: before } = await knex('streams').where({ name: 'feed' }).first('seq')
  await databaseFindings(database, true)
  const told = await knex('events').where('feed_seq', '>', before).orderBy('feed_seq')
  expect(told.map(({ type, data }) => ({ type, data }))).toEqual([
    { type: 'pool.status', data: { paused: false, held: 0, waiting: 0 } },
    { type: 'run.status', data: expect.objectContaining({ runId, goalId, status: 'lost' }) },
  ])
})

test('what cannot be looked at is a finding, and hides none of the others', async () => {
  await database.knex.schema.renameTable('run_leases', 'elsewhere')
  const found = await databaseFindings(database, true)
  expect(found.map(({ name, ok }) => [name, ok])).toEqual([
    ['worker', false],
    ['pool', false],
    ['outbox', true],
    ['runs', true],
  ])
  expect(found[1]).toMatchObject({
    message: expect.stringContaining('"run_leases" does not exist'),
    advice: 'see the message, and "dispatch logs --service api"',
    repaired: false,
  })
})

import { expect, test, vi } from 'vitest'
import { databaseOfFile } from '../test/support/database.ts'
import type { Database } from './connect.ts'
import { databaseFindings } from './doctor.ts'

let database: Database
databaseOfFile((own) => {
  database = own
})

async function orphanedRun(): Promise<string> {
  const { knex } = database
  const [project] = await knex('projects')
    .insert({ name: 'p', path: '/p', default_branch: 'main' })
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

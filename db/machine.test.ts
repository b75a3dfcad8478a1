import { expect, test } from 'vitest'
import { databaseOfFile } from '../test/support/database.ts'
import type { Database } from './connect.ts'
import { taskQueueOf } from './machine.ts'
import { MIGRATIONS } from './migrations.ts'

let database: Database
databaseOfFile((own) => {
  database = own
})

/** As a database of the version before comes to this one. */
async function upgrade(): Promise<string> {
  const by = { migrationSource: MIGRATIONS, name: '019-task-queue' }
  await database.knex.migrate.down(by)
  await database.knex.migrate.up(by)
  return taskQueueOf(database.knex)
}

test('each new database has a queue of its own, and one with goals stays where their workflows are', async () => {
  const [one, other] = [await upgrade(), await upgrade()]
  expect(one).toMatch(/^core-/)
  expect(other).not.toBe(one)
  const [project] = await database
    .knex('projects')
    .insert({ name: 'p', path: '/p', default_branch: 'main' })
    .returning('id')
  const goal = { title: 'g', description: 'g', profile: '{}', target_branch: 'main' }
  await database.knex('goals').insert({ ...goal, project_id: project.id })
  expect(await upgrade()).toBe('core')
})

import pg from 'pg'
import { expect, test } from 'vitest'
import { databaseOfFile } from '../test/support/database.ts'
import type { Database } from './connect.ts'
import { LOCKS } from './locks.ts'
import { announceWorker, workerPresence } from './presence.ts'

let url: string
let database: Database
databaseOfFile((made, itsUrl) => {
  database = made
  url = itsUrl
})

const SECONDS = 0.3
const presence = () => workerPresence(database.knex, SECONDS)

test('a worker that hangs keeps its session, and is told from one that answers', async () => {
  expect(await presence()).toEqual({ lives: false, silentSince: null })
  const stopped = new pg.Client({ connectionString: url })
  await stopped.connect()
  await stopped.query('select pg_advisory_lock_shared($1)', [LOCKS.worker])
  await expect.poll(presence).toEqual({ lives: false, silentSince: expect.any(String) })
  const since = Date.parse((await presence()).silentSince ?? '')
  expect(Date.now() - since).toBeGreaterThanOrEqual(SECONDS * 1000)

  const answering = announceWorker(url, 'home', () => undefined, 10)
  await answering.opened
  const { rows } = await database.knex.raw('select now() as opened')
  const asked = () =>
    database.knex('pg_stat_activity').where('query', 'select').max('state_change').first()
  await expect.poll(async () => (await asked())?.['max'] > rows[0].opened).toBe(true)
  await expect.poll(presence).toEqual({ lives: true, silentSince: null })
  await answering.close()
  await expect.poll(presence).toMatchObject({ lives: false, silentSince: expect.any(String) })
  await stopped.end()
  await expect.poll(presence).toEqual({ lives: false, silentSince: null })
})

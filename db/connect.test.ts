import { randomBytes } from 'node:crypto'
import { expect, inject, test } from 'vitest'
import { freePort } from '../config/ports.ts'
import { connect, migrate } from './connect.ts'
import { SCHEMA_VERSION } from './migrations.ts'

test('a Postgres that cannot be used is named with what to do, and without its password', async () => {
  const port = await freePort()
  const other = new URL(inject('databaseUrl'))
  other.pathname = '/nobody_made_this'
  const urls: [string, RegExp][] = [
    [`postgres://me:secret@127.0.0.1:${port}/shop`, /^Postgres at 127.0.0.1:\d+\/shop .*REFUSED/],
    [`postgres://me:secret@localhost:${port}/shop`, /^Postgres at localhost:\d+\/shop .*REFUSED/],
    [`${other}`, /nobody_made_this cannot be used: .*does not exist/],
  ]
  for (const [url, why] of urls) {
    const error = await migrate(url).catch((thrown) => thrown)
    expect(error).toMatchObject({ name: 'DatabaseProblem', code: 'unreachable' })
    expect(error.message).toMatch(why)
    expect(error.message).toMatch(/See that it runs .*DATABASE_URL/)
    expect(error.message).not.toMatch(/secret/)
  }
})

test('no statement and no idle transaction holds its locks for longer than a minute', async () => {
  const { knex, close } = connect(inject('databaseUrl'))
  const { rows } = await knex.raw(
    `select current_setting('statement_timeout') as statement, current_setting('idle_in_transaction_session_timeout') as idle`,
  )
  await close()
  expect(rows).toEqual([{ statement: '1min', idle: '1min' }])
})

test('processes that start at once on a new database bring its schema to this version together', async () => {
  const { knex, close } = connect(inject('databaseUrl'))
  const name = `new_${randomBytes(6).toString('hex')}`
  await knex.raw(`create database ${name}`)
  const url = new URL(inject('databaseUrl'))
  url.pathname = `/${name}`
  await Promise.all([1, 2, 3].map(() => migrate(`${url}`)))
  const made = connect(`${url}`)
  expect(await made.knex('knex_migrations').pluck('name')).toHaveLength(SCHEMA_VERSION)
  await made.close()
  await knex.raw(`drop database ${name}`)
  await close()
})

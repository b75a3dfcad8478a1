import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { commandLine, processesIn } from '../../config/process-table.ts'
import { until } from '../../test/support/until.ts'
import { postmasterPid, startPostgres } from './start-postgres.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dispatch-pg-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const options = () => ({
  ...{ dir: join(dir, 'pg'), socketDir: join(dir, 'socket'), logFile: join(dir, 'log') },
  ...{ log: { info: () => undefined, warn: () => undefined }, commandLine },
})

async function query(url: string, sql: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

test('a server that is left is adopted; a killed one comes back with every acknowledged row', async () => {
  const first = await startPostgres(options())
  await query(first.url, 'create table kept (n int)')
  const second = await startPostgres(options())
  expect(second).toMatchObject({ adopted: true, pid: first.pid, url: first.url })

  await query(first.url, 'insert into kept select generate_series(1, 100)')
  process.kill(first.pid, 'SIGKILL')
  expect(await first.exited).toContain('SIGKILL')
  // its children see that it is gone, and no new one starts beside them
  const haveEnded = () => processesIn(join(dir, 'pg', 'data')).length === 0
  await until(haveEnded, { ms: 20_000, what: 'the end of its children', everyMs: 5 })

  const third = await startPostgres(options())
  expect(third.adopted).toBe(false)
  expect(await query(third.url, 'select count(*)::int as n from kept')).toEqual([{ n: 100 }])
  await third.stop()
  expect(commandLine(third.pid)).toBeUndefined()
  expect(statSync(join(dir, 'pg', 'password')).mode & 0o777).toBe(0o600)
})

test('a server answers also where PGPORT and its kin say something else', async () => {
  vi.stubEnv('PGPORT', '1')
  vi.stubEnv('PGSSLMODE', 'require')
  vi.stubEnv('PGSSLNEGOTIATION', 'direct')
  vi.stubEnv('PGOPTIONS', '-c default_transaction_read_only=on')
  vi.stubEnv('PGCLIENT_ENCODING', 'LATIN1')
  try {
    const server = await startPostgres(options())
    await query(server.url, 'create table made (n int)')
    expect(await query(server.url, "select '€' as euro")).toEqual([{ euro: '€' }])
    await server.stop()
  } finally {
    vi.unstubAllEnvs()
  }
}, 15_000)

test('a clock that is set forward in the middle is no reason to give a start up', async () => {
  let hours = 0
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => ++hours * 3_600_000)
  try {
    const server = await startPostgres(options())
    await server.stop()
  } finally {
    clock.mockRestore()
  }
})

test('a start that is given up has ended what it started', async () => {
  const given = new AbortController()
  const pids: number[] = []
  const starting = startPostgres({ ...options(), signal: given.signal }).catch((error) => error)
  const server = () => {
    const pid = postmasterPid(join(dir, 'pg', 'data')) ?? 0
    if (pid > 0) pids.push(pid) // that of initdb is negative
    return pid > 0
  }
  await until(server, { ms: 20_000, what: 'a server', everyMs: 5 })
  given.abort(new Error('enough'))
  expect(await starting).toMatchObject({ message: 'enough' })
  expect(commandLine(pids[0] ?? 0)).toBeUndefined()
}, 30_000)

test('a wrong password is refused', async () => {
  const server = await startPostgres(options())
  const wrong = new URL(server.url)
  wrong.password = 'wrong'
  await expect(query(wrong.href, 'select 1')).rejects.toThrow(/password authentication failed/)
  await server.stop()
})

test('a pid file whose pid belongs to somebody else does not stop the start', async () => {
  const first = await startPostgres(options())
  await first.stop()
  const file = join(dir, 'pg', 'data', 'postmaster.pid')
  writeFileSync(file, `${process.pid}\n${join(dir, 'pg', 'data')}\n`)
  const second = await startPostgres(options())
  expect(readFileSync(file, 'utf8').split('\n')[0]).toBe(String(second.pid))
  await second.stop()
})

test('a dead server that nobody has reaped yet does not stop the start', async () => {
  await (await startPostgres(options())).stop()
  // sleep has a dead child that it never asks about; when sleep ends, init reaps it
  const parent = spawn('sh', ['-c', '(exit 0) & echo $!; exec sleep 1'])
  const [pid] = await once(parent.stdout, 'data')
  const file = join(dir, 'pg', 'data', 'postmaster.pid')
  writeFileSync(file, `${String(pid).trim()}\n${join(dir, 'pg', 'data')}\n`)
  const server = await startPostgres(options())
  expect(readFileSync(file, 'utf8').split('\n')[0]).toBe(String(server.pid))
  await server.stop()
})

test('data of another major version is refused with what to do', async () => {
  mkdirSync(join(dir, 'pg', 'data'), { recursive: true })
  writeFileSync(join(dir, 'pg', 'data', 'PG_VERSION'), '17\n')
  await expect(startPostgres(options())).rejects.toThrow(
    /made by Postgres 17.*Postgres 18: go back/,
  )
})

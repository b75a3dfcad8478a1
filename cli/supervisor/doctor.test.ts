import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, inject, test } from 'vitest'
import { loadConfig, processEnv } from '../../config/config.ts'
import { type Check, doctor } from './doctor.ts'
import { takeLock } from './lock.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "dispatch-doctor's home-"))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

const check = async (env: Record<string, string> = {}) => {
  const { PATH = '', HOME = '' } = processEnv()
  const checks = await doctor(loadConfig({ PATH, HOME, ...env }, { home }))
  return (name: string) => checks.find((c) => c.name === name) as Check
}

test('a healthy home with running servers has nothing to advise', async () => {
  const found = await check({
    DATABASE_URL: inject('databaseUrl'),
    TEMPORAL_ADDRESS: inject('temporalAddress'),
  })
  for (const name of [
    'node',
    'git',
    'git behaviour',
    'temporal',
    'postgres',
    'file modes',
    'listening',
    'lock',
  ]) {
    expect(found(name)).toMatchObject({ ok: true, advice: '' })
  }
  expect(found('postgres').message).toMatch(/^18.* from DATABASE_URL$/)
})

test('what is wrong is said with what to do', async () => {
  chmodSync(home, 0o755)
  writeFileSync(join(home, 'lock'), '{"pid":1,"processStart":"never","since":"x"}')
  const found = await check({
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    TEMPORAL_ADDRESS: '127.0.0.1:1',
    DISPATCH_HOST: '0.0.0.0',
  })
  // what it says can be copied, whatever the home is called
  expect(found('file modes').advice).toMatch(/^chmod go-rwx /)
  execFileSync('sh', ['-c', found('file modes').advice])
  expect(statSync(home).mode & 0o077).toBe(0)
  expect(found('lock').message).toContain('left from a Dispatch that was killed')
  expect(found('postgres')).toMatchObject({
    ok: false,
    advice: expect.stringContaining('DATABASE_URL'),
  })
  expect(found('temporal').message).toContain('127.0.0.1:1')
  expect(found('listening').message).toContain('other machines')
})

test("the database of a server that was started with another's is not called embedded", async () => {
  const lock = takeLock(join(home, 'lock'))
  if (!lock.taken) throw new Error('the home is in use')
  writeFileSync(join(home, 'server.json'), '{"url":"http://127.0.0.1:1","processes":{}}')
  expect((await check())('postgres').message).toMatch(/DATABASE_URL/)
  lock.release()
  expect((await check())('postgres').message).toMatch(/^embedded/)
})

test('a server that runs is looked for where it listens, whatever the configuration says', async () => {
  const lock = takeLock(join(home, 'lock'))
  if (!lock.taken) throw new Error('the home is in use')
  writeFileSync(join(home, 'server.json'), '{"url":"http://127.0.0.1:1","processes":{}}')
  const found = await check({ DISPATCH_PORT: '4400' })
  expect(found('listening').message).toBe('127.0.0.1:1, this machine only')

  // it is reached under a loopback address, and not only by this machine
  const server = (host: string, url: string) =>
    writeFileSync(join(home, 'server.json'), JSON.stringify({ url, host, processes: {} }))
  server('0.0.0.0', 'http://127.0.0.1:1')
  expect((await check())('listening').message).toBe(
    'the API listens on 0.0.0.0:1, which other machines reach',
  )
  server('::1', 'http://[::1]:1')
  expect((await check())('listening').message).toBe('::1:1, this machine only')
  lock.release()
})

import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { processStart } from '../../config/process-table.ts'
import { isStale, lockHolder, removeStaleLock, takeLock } from './lock.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'dispatch-lock-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('the second one is told who holds it', () => {
  const file = join(dir, 'lock')
  const first = takeLock(file)
  expect(takeLock(file)).toMatchObject({ taken: false, holder: { pid: process.pid } })
  if (first.taken) first.release()
  expect(existsSync(file)).toBe(false)
})

test('the lock of a dead process is taken over, and so is one whose pid now belongs to somebody else', async () => {
  const file = join(dir, 'lock')
  const child = spawn('true')
  await new Promise((resolve) => child.once('exit', resolve))
  for (const left of [
    { pid: child.pid, processStart: '1' },
    { pid: process.ppid, processStart: `not ${processStart(process.ppid)}` },
  ]) {
    writeFileSync(file, JSON.stringify({ ...left, since: 'yesterday' }))
    expect(isStale(file)).toBe(true)
    const taken = takeLock(file)
    expect(taken.taken).toBe(true)
    expect(lockHolder(file)?.pid).toBe(process.pid)
    rmSync(file)
  }
})

test('one that was killed while it took a stale lock over keeps nobody out, and a lock that is held is not removed', () => {
  const file = join(dir, 'lock')
  const dead = '{"pid":1,"processStart":"never","since":"x"}'
  writeFileSync(file, dead)
  writeFileSync(`${file}.gate`, dead)
  expect(takeLock(file).taken).toBe(true)
  expect(readdirSync(dir)).toEqual(['lock'])
  removeStaleLock(file)
  expect(lockHolder(file)?.pid).toBe(process.pid)
})

test('a damaged lock file does not block a home for ever', () => {
  const file = join(dir, 'lock')
  writeFileSync(file, '{"pid":')
  expect(takeLock(file).taken).toBe(true)
})

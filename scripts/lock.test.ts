import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test.each([
  ['of a dead one', () => String(spawnSync('true').pid)],
  ['that a power cut left empty', () => ''],
])('several at once go one after the other, past the lock %s', async (_, left) => {
  const dir = mkdtempSync(join(tmpdir(), 'dispatch-scripts-'))
  const lock = join(dir, 'lock')
  const log = join(dir, 'log')
  writeFileSync(lock, left())
  const script = `
    import { appendFileSync } from 'node:fs'
    import { setTimeout as delay } from 'node:timers/promises'
    import { withLock } from ${JSON.stringify(new URL('./lock.mjs', import.meta.url).href)}
    await withLock(${JSON.stringify(lock)}, async () => {
      appendFileSync(${JSON.stringify(log)}, process.pid + '\\n')
      await delay(30)
      appendFileSync(${JSON.stringify(log)}, process.pid + '\\n')
    })`
  const codes = await Promise.all(
    Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
        stdio: 'ignore',
      })
      return new Promise((resolve) => child.once('exit', resolve))
    }),
  )
  expect(codes).toEqual([0, 0, 0, 0])
  const pids = readFileSync(log, 'utf8').trim().split('\n')
  expect(pids).toHaveLength(8)
  for (let i = 0; i < pids.length; i += 2) expect(pids[i]).toBe(pids[i + 1])
  expect(existsSync(lock)).toBe(false)
  rmSync(dir, { recursive: true })
})

/** Writes to the log when it enters and leaves; `role` says what it waits for on its way. */
const TAKEOVER = `
  import fs, { appendFileSync, existsSync, readFileSync } from 'node:fs'
  import { syncBuiltinESMExports } from 'node:module'
  const [dir, role] = process.argv.slice(1)
  const lock = dir + '/lock'
  const said = (word) => existsSync(dir + '/said') && readFileSync(dir + '/said', 'utf8').includes(word)
  const say = (word) => appendFileSync(dir + '/said', word + '\\n')
  const pause = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
  const until = (...words) => { while (!words.some(said)) pause() }
  const of = (name, before, after) => {
    const real = fs[name]
    fs[name] = (path, ...rest) => {
      if (path !== lock && rest[0] !== lock) return real(path, ...rest)
      before()
      try { return real(path, ...rest) } finally { after() }
    }
  }
  let tries = 0
  of('linkSync', () => { tries += 1; if (tries === 10) say(role + ' tried') }, () => {})
  // between its look at the lock of the dead one and its removal, another one may take that over
  const slow = [() => { say('slow looked'); until('first in', 'first tried') }, () => until('second in', 'second tried')]
  if (role === 'slow') for (const name of ['renameSync', 'rmSync']) of(name, ...slow)
  syncBuiltinESMExports()
  const { withLock } = await import(${JSON.stringify(new URL('./lock.mjs', import.meta.url).href)})
  if (role === 'first') until('slow looked')
  if (role === 'second') until('first in', 'first tried')
  await withLock(lock, async () => {
    say(role + ' in')
    if (role === 'first') until('second in', 'second tried')
    say(role + ' out')
  })`

test('one that is slow to take over the lock of a dead one takes it from nobody else', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'dispatch-scripts-'))
  writeFileSync(join(dir, 'lock'), String(spawnSync('true').pid))
  const roles = ['slow', 'first', 'second']
  const codes = await Promise.all(
    roles.map((role) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', TAKEOVER, dir, role], {
        stdio: 'ignore',
      })
      return new Promise((resolve) => child.once('exit', resolve))
    }),
  )
  const turns = readFileSync(join(dir, 'said'), 'utf8').match(/\w+ (in|out)/g) ?? []
  for (let i = 0; i < turns.length; i += 2)
    expect(turns[i + 1]).toBe(turns[i]?.replace(' in', ' out'))
  expect([turns.length, codes]).toEqual([6, [0, 0, 0]])
  rmSync(dir, { recursive: true })
}, 30_000)

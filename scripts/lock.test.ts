import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

test('several at once go one after the other, past the lock of a dead one', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'dispatch-scripts-'))
  const lock = join(dir, 'lock')
  const log = join(dir, 'log')
  const dead = spawnSync('true').pid
  writeFileSync(lock, String(dead))
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

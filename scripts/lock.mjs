import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const WAIT_MS = 600_000

/** Runs `work` while this process alone holds `file`. Waits for another holder; the lock of a dead one is taken over. */
export async function withLock(file, work) {
  mkdirSync(dirname(file), { recursive: true })
  const deadline = Date.now() + WAIT_MS
  let said = false
  while (!take(file)) {
    const holder = Number(existsSync(file) ? readFileSync(file, 'utf8') : 0)
    if (holder > 0 && !alive(holder)) rmSync(file, { force: true })
    else if (Date.now() > deadline) throw new Error(`${file} is held by process ${holder} for 10 minutes: end it or remove the file`)
    else {
      if (!said && holder > 0) console.error(`waiting for process ${holder}, which is preparing the same folder`)
      said = holder > 0
      await delay(100)
    }
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

function alive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

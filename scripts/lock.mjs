import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const WAIT_MS = 600_000

/** Runs `work` while this process alone holds `file`. Waits for another holder; the lock of a dead one is taken over. */
export async function withLock(file, work) {
  mkdirSync(dirname(file), { recursive: true })
  const deadline = Date.now() + WAIT_MS
  let said = false
  while (!take(file)) {
    const holder = read(file)
    if (holder === '') continue // released meanwhile
    if (!alive(Number(holder))) {
      discard(file, holder)
      continue
    }
    if (Date.now() > deadline) throw new Error(`${file} is held by process ${holder} for 10 minutes: end it or remove the file`)
    if (!said) process.stderr.write(`waiting for process ${holder}, which prepares the same folder\n`)
    said = true
    await delay(100)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

/** Written beside and linked, so that the lock appears with its content or not at all. */
function take(file) {
  const fresh = `${file}.${process.pid}`
  writeFileSync(fresh, String(process.pid))
  try {
    linkSync(fresh, file)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(fresh, { force: true })
  }
}

/** Removes the lock of a dead holder, but not one that somebody else has taken over in the meantime. */
function discard(file, holder) {
  const aside = `${file}.${process.pid}.stale`
  try {
    renameSync(file, aside)
  } catch (error) {
    if (error.code === 'ENOENT') return
    throw error
  }
  if (read(aside) !== holder) linkSync(aside, file)
  rmSync(aside, { force: true })
}

function read(file) {
  try {
    return existsSync(file) ? readFileSync(file, 'utf8') : ''
  } catch (error) {
    if (error.code === 'ENOENT') return ''
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

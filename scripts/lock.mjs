import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const WAIT_MS = 600_000
/** Whoever holds the gate needs less. */
const GATE_MS = 5

/** Runs `work` while this process alone holds `file`. Waits for another holder; the lock of a dead one is taken over. */
export async function withLock(file, work) {
  mkdirSync(dirname(file), { recursive: true })
  const deadline = Date.now() + WAIT_MS
  let said = false
  while (!take(file)) {
    const holder = read(file)
    if (holder === undefined) continue // released meanwhile
    if (!alive(holder)) {
      await removeStale(file)
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

/**
 * Removes the lock of a dead holder. One process at a time looks and removes: between the two, another one might take the lock over,
 * and would lose it to a third.
 */
async function removeStale(file) {
  const gate = `${file}.gate`
  if (take(gate)) {
    const holder = read(file)
    if (holder !== undefined && !alive(holder)) rmSync(file, { force: true })
    rmSync(gate, { force: true })
    return
  }
  const keeper = read(gate)
  // whoever was killed in there must not keep all others out
  if (keeper !== undefined && !alive(keeper)) discard(gate, keeper)
  else await delay(GATE_MS)
}

/** Removes a stale gate, but only that one: two may find it at the same time, and one of them has a new one already. */
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

/** Undefined where there is none. */
function read(file) {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (error.code === 'ENOENT') return undefined
    throw error
  }
}

/** A lock that a power cut left without its content is nobody's. */
function alive(holder) {
  const pid = Number(holder)
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

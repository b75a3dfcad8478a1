import { randomBytes } from 'node:crypto'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { commandLine, processStart } from '../../config/process-table.ts'

/** Who supervises a home. Pid and start time together name one process, because pids are reused. */
export interface LockHolder {
  pid: number
  processStart: string
  since: string
}

/** Whoever holds the gate needs less. */
const GATE_MS = 5

export type Locked = { taken: true; release(): void } | { taken: false; holder: LockHolder }

/** Takes the lock of a home, over from a dead holder if need be. */
export function takeLock(file: string): Locked {
  for (;;) {
    if (create(file)) return { taken: true, release: () => release(file) }
    const holder = lockHolder(file)
    if (holder) return { taken: false, holder }
    removeStaleLock(file)
  }
}

/**
 * Removes the lock of a dead holder. One process at a time looks and removes: between the two, another one might take the lock over,
 * and would lose it to a third.
 */
export function removeStaleLock(file: string): void {
  const gate = `${file}.gate`
  if (create(gate)) {
    if (isStale(file)) rmSync(file, { force: true })
    rmSync(gate, { force: true })
    return
  }
  const content = read(gate)
  // whoever was killed in there must not keep all others out
  if (isOfDead(content)) discard(gate, content)
  else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, GATE_MS)
}

/** The living holder of a lock file, undefined when there is none or it is dead. */
export const lockHolder = (file: string): LockHolder | undefined => livingHolder(read(file))

function livingHolder(content: string | undefined): LockHolder | undefined {
  const holder = parseHolder(content)
  return holder && isAlive(holder) ? holder : undefined
}

/** True when a lock file is left whose holder is dead. */
export const isStale = (file: string): boolean => isOfDead(read(file))

/** One that is gone is of nobody: it may be taken at any moment. */
const isOfDead = (content: string | undefined): content is string =>
  content !== undefined && !livingHolder(content)

/** Written beside and linked: the lock appears with its content, or not at all. */
function create(file: string): boolean {
  const holder: LockHolder = {
    pid: process.pid,
    processStart: processStart(process.pid) ?? '',
    since: new Date().toISOString(),
  }
  const fresh = temporary(file)
  try {
    writeFileSync(fresh, JSON.stringify(holder), { mode: 0o600 })
    linkSync(fresh, file)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    rmSync(fresh, { force: true })
  }
}

/** Removes a stale gate, but only that one: two may find it at the same time, and one of them has a new one already. */
function discard(file: string, content: string) {
  const aside = temporary(file)
  try {
    renameSync(file, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  if (read(aside) !== content) linkSync(aside, file)
  rmSync(aside, { force: true })
}

function release(file: string) {
  if (parseHolder(read(file))?.pid === process.pid) rmSync(file, { force: true })
}

function isAlive({ pid, processStart: start }: LockHolder): boolean {
  return commandLine(pid) !== undefined && processStart(pid) === start
}

function parseHolder(content: string | undefined): LockHolder | undefined {
  try {
    const data = JSON.parse(content ?? 'null')
    return typeof data?.pid === 'number' && typeof data?.processStart === 'string'
      ? data
      : undefined
  } catch {
    return undefined // not ours or damaged: it names no living process
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

const temporary = (file: string) => `${file}.${process.pid}.${randomBytes(4).toString('hex')}`

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/**
 * The command line of a running process, or undefined when there is none (a zombie counts as none).
 * A pid alone proves nothing, because pids are reused: compare this before you signal one.
 */
export function commandLine(pid: number): string | undefined {
  if (existsSync('/proc/self/cmdline')) return readProc(`/proc/${pid}/cmdline`)
  try {
    const line = execFileSync('ps', ['-o', 'command=', '-p', String(pid)], {
      encoding: 'utf8',
    }).trim()
    return line || undefined
  } catch {
    return undefined // ps exits 1 when there is no such process
  }
}

/**
 * When a running process started, in whatever unit the system has: together with the pid it names one process.
 * Undefined when there is none.
 */
export function processStart(pid: number): string | undefined {
  if (commandLine(pid) === undefined) return undefined
  if (existsSync('/proc/self/stat')) {
    // field 22 of proc(5); the name in field 2 may hold spaces, so count from its closing bracket
    const stat = readProc(`/proc/${pid}/stat`)
    return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  }
  return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
}

/** Processes whose working folder it is, as far as the system tells. */
export function processesIn(folder: string): number[] {
  if (!existsSync('/proc/self/cwd')) return []
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && workingFolder(pid) === folder)
}

function workingFolder(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return undefined // ended meanwhile, or somebody else's
  }
}

/** Asks `pid` to end, waits, and kills it after `graceMs`. Resolves when it is gone. */
export async function endProcess(pid: number, graceMs: number, signal: NodeJS.Signals = 'SIGTERM') {
  send(pid, signal)
  if (await gone(pid, graceMs)) return
  send(pid, 'SIGKILL')
  if (!(await gone(pid, 5_000))) throw new Error(`process ${pid} does not end, even by SIGKILL`)
}

/**
 * Waits until `pid` is gone; false after `timeoutMs`. It is not our child, so there is no event to wait for. Throws when `signal`
 * aborts.
 */
export async function gone(pid: number, timeoutMs: number, signal?: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + timeoutMs
  while (commandLine(pid) !== undefined) {
    if (performance.now() >= deadline) return false
    await delay(20, undefined, { signal })
  }
  return true
}

function send(pid: number, signal: NodeJS.Signals) {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function readProc(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').replaceAll('\0', ' ').trim() || undefined
  } catch {
    return undefined // ended between two reads
  }
}

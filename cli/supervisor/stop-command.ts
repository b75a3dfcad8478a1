import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { processConfig } from '../../config/config.ts'
import { type HomePaths, requireOwn } from '../../config/home.ts'
import { gone } from '../../config/process-table.ts'
import { endLeftovers } from './leftovers.ts'
import { isStale, type LockHolder, lockHolder, removeStaleLock } from './lock.ts'
import { readServerFile } from './server-file.ts'
import type { Say } from './start-command.ts'

/** More than all four take to end when each of them hangs and is killed. */
const STOP_MS = 120_000
/** A stop takes a second or two; who waits longer is told for what. */
const SILENT_MS = 4_000

/**
 * `dispatch stop`: ends what `dispatch start` runs on the home, and what a killed one left. Says what it ended.
 * Throws when it did not end, and ConfigError.
 */
export async function stopCommand(options: { home?: string }, say: Say): Promise<void> {
  const { home } = processConfig(options)
  requireOwn(home)
  const holder = lockHolder(home.lockFile)
  if (holder) await endSupervisor(holder, home, say)
  if (lockHolder(home.lockFile)) return // another one was started at once
  // they outlive a supervisor that is killed, or that is ended on its way down
  const ended = await endLeftovers(home)
  for (const { name, pid } of ended)
    say.out(`ended ${name} (pid ${pid}), which an earlier start had left`)
  if (isStale(home.lockFile)) removeStaleLock(home.lockFile)
  rmSync(home.serverFile, { force: true })
  if (!holder && ended.length === 0) say.out(`nothing runs on ${home.root}`)
}

async function endSupervisor({ pid }: LockHolder, home: HomePaths, say: Say): Promise<void> {
  const names = Object.keys(readServerFile(home.serverFile)?.processes ?? {})
  const timer = setTimeout(
    () => say.err(`process ${pid} is still ending what it runs; a part that hangs is killed`),
    SILENT_MS,
  )
  try {
    ask(pid)
    if (!(await gone(pid, STOP_MS)))
      throw new Error(
        `process ${pid} did not end within ${STOP_MS / 1000} s; look at ${join(home.logs, 'supervisor.*.log')}, or kill -9 ${pid}`,
      )
  } finally {
    clearTimeout(timer)
  }
  say.out(`stopped Dispatch (pid ${pid}${names.length > 0 ? `: ${names.join(', ')}` : ''})`)
}

function ask(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EPERM')
      throw new Error(`process ${pid} belongs to another user: only that one can stop it`)
    if (code !== 'ESRCH') throw error // it has just ended
  }
}

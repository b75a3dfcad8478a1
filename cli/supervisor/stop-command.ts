import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { processConfig } from '../../config/config.ts'
import type { HomePaths } from '../../config/home.ts'
import { gone } from '../../config/process-table.ts'
import { endLeftServers } from './leftovers.ts'
import { isStale, lockHolder } from './lock.ts'
import { readServerFile } from './server-file.ts'
import type { Say } from './start-command.ts'

const STOP_MS = 60_000

/**
 * `dispatch stop`: ends what `dispatch start` runs on the home, and what a killed one left. Says what it ended.
 * Throws when it did not end, and ConfigError.
 */
export async function stopCommand(options: { home?: string }, say: Say): Promise<void> {
  const { home } = processConfig(options)
  const holder = lockHolder(home.lockFile)
  if (!holder) return endLeftovers(home, say)
  const names = Object.keys(readServerFile(home.serverFile)?.processes ?? {})
  process.kill(holder.pid, 'SIGTERM')
  if (!(await gone(holder.pid, STOP_MS)))
    throw new Error(
      `process ${holder.pid} did not end within ${STOP_MS / 1000} s; look at ${join(home.logs, 'supervisor.*.log')}, or kill -9 ${holder.pid}`,
    )
  say.out(`stopped Dispatch (pid ${holder.pid}${names.length > 0 ? `: ${names.join(', ')}` : ''})`)
}

/** Postgres and Temporal outlive a supervisor that was killed. */
async function endLeftovers(home: HomePaths, say: Say): Promise<void> {
  const ended = await endLeftServers(home)
  for (const { name, pid } of ended)
    say.out(`ended ${name} (pid ${pid}), which an earlier start had left`)
  if (isStale(home.lockFile)) rmSync(home.lockFile, { force: true })
  rmSync(home.serverFile, { force: true })
  if (ended.length === 0) say.out(`nothing runs on ${home.root}`)
}

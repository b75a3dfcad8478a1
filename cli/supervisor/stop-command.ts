import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ConfigError, processConfig } from '../../config/config.ts'
import type { HomePaths } from '../../config/home.ts'
import { commandLine, endProcess, gone } from '../../config/process-table.ts'
import { isStale, lockHolder } from './lock.ts'
import { readServerFile } from './server-file.ts'
import type { Say } from './start-command.ts'

const STOP_MS = 60_000

/**
 * `dispatch stop`: ends what `dispatch start` runs on the home, and what a killed one left. Says what it ended.
 * Exit codes: 0 nothing runs any more, 1 it did not end, 78 wrong configuration.
 */
export async function stopCommand(options: { home?: string }, say: Say): Promise<number> {
  let home: HomePaths
  try {
    home = processConfig(options).home
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    say.err(error.message)
    return error.exitCode
  }
  const holder = lockHolder(home.lockFile)
  if (!holder) return endLeftovers(home, say)
  const names = Object.keys(readServerFile(home.serverFile)?.processes ?? {})
  process.kill(holder.pid, 'SIGTERM')
  if (!(await gone(holder.pid, STOP_MS))) {
    say.err(
      `process ${holder.pid} did not end within ${STOP_MS / 1000} s; look at ${join(home.logs, 'supervisor.*.log')}, or kill -9 ${holder.pid}`,
    )
    return 1
  }
  say.out(`stopped Dispatch (pid ${holder.pid}${names.length > 0 ? `: ${names.join(', ')}` : ''})`)
  return 0
}

/** Postgres and Temporal outlive a supervisor that was killed. */
async function endLeftovers(home: HomePaths, say: Say): Promise<number> {
  const left = [
    { name: 'Temporal', pid: temporalPid(home), marker: home.temporal, signal: 'SIGTERM' as const },
    { name: 'Postgres', pid: postgresPid(home), marker: home.postgres, signal: 'SIGINT' as const },
  ].filter(({ pid, marker }) => pid > 0 && commandLine(pid)?.includes(marker))
  for (const { name, pid, signal } of left) {
    await endProcess(pid, 20_000, signal)
    say.out(`ended ${name} (pid ${pid}), which an earlier start had left`)
  }
  if (isStale(home.lockFile)) rmSync(home.lockFile, { force: true })
  rmSync(home.serverFile, { force: true })
  if (left.length === 0) say.out(`nothing runs on ${home.root}`)
  return 0
}

function temporalPid(home: HomePaths): number {
  const file = join(home.temporal, 'dev-server.json')
  return existsSync(file) ? Number(JSON.parse(readFileSync(file, 'utf8')).pid) : 0
}

function postgresPid(home: HomePaths): number {
  const file = join(home.postgres, 'data', 'postmaster.pid')
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : 0
}

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { HomePaths } from '../../config/home.ts'
import { commandLine, endProcess } from '../../config/process-table.ts'
import { readState } from '../../temporal/dev-server-files.ts'

export interface Leftover {
  name: 'Temporal' | 'Postgres'
  pid: number
}

/** Ends Postgres and Temporal of a home whose supervisor was killed. Returns what was ended. */
export async function endLeftServers(home: HomePaths): Promise<Leftover[]> {
  const ended: Leftover[] = []
  const servers = [
    {
      name: 'Temporal',
      pid: readState(home.temporal)?.pid ?? 0,
      marker: home.temporal,
      signal: 'SIGTERM',
    },
    { name: 'Postgres', pid: postgresPid(home), marker: home.postgres, signal: 'SIGINT' },
  ] as const
  for (const { name, pid, marker, signal } of servers) {
    // a pid may belong to somebody else by now: the command line must name our folder
    if (pid <= 0 || !commandLine(pid)?.includes(marker)) continue
    await endProcess(pid, 20_000, signal)
    ended.push({ name, pid })
  }
  return ended
}

function postgresPid(home: HomePaths): number {
  const file = join(home.postgres, 'data', 'postmaster.pid')
  return existsSync(file) ? Number(readFileSync(file, 'utf8').split('\n')[0]) : 0
}

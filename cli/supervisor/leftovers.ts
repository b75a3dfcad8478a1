import { join } from 'node:path'
import type { HomePaths } from '../../config/home.ts'
import {
  commandLine,
  endProcess,
  gone,
  processesIn,
  processStart,
} from '../../config/process-table.ts'
import { postmasterPid } from '../../db/postgres/start-postgres.ts'
import { readState } from '../../temporal/dev-server-files.ts'
import { readServerFile } from './server-file.ts'

export interface Leftover {
  name: string
  pid: number
}

/** Postgres takes this long to write what it holds; killed, it makes up for it when it starts. */
const POSTGRES_GRACE_MS = 10_000
/** Temporal has written what it answered for; one that does not end by then hangs, and whoever stops it waits. */
const TEMPORAL_GRACE_MS = 5_000

/** Ends all that a supervisor that was killed has left on a home. Returns what was ended. */
export async function endLeftovers(home: HomePaths): Promise<Leftover[]> {
  return [...(await endLeftPrograms(home)), ...(await endLeftServers(home))]
}

/**
 * Ends worker and API of a home whose supervisor was killed; they end by themselves, unless they hang. Throws when `signal` aborts
 * while it waits for that.
 */
export async function endLeftPrograms(home: HomePaths, signal?: AbortSignal): Promise<Leftover[]> {
  const ended: Leftover[] = []
  for (const [name, { pid, start }] of Object.entries(
    readServerFile(home.serverFile)?.processes ?? {},
  )) {
    if (start === undefined || processStart(pid) !== start) continue
    if (await gone(pid, 3_000, signal)) continue
    await endProcess(pid, 5_000)
    ended.push({ name, pid })
  }
  return ended
}

/** Ends Postgres and Temporal of a home whose supervisor was killed. Returns what was ended. */
export async function endLeftServers(home: HomePaths): Promise<Leftover[]> {
  const ended: Leftover[] = []
  const temporal = readState(home.temporal)?.pid ?? 0
  // a pid may belong to somebody else by now: the command line must name our folder
  if (isOf(temporal, home.temporal)) {
    await endProcess(temporal, TEMPORAL_GRACE_MS)
    ended.push({ name: 'Temporal', pid: temporal })
  }
  const postgres = postgresPid(home)
  if (isOf(postgres, home.postgres)) {
    await endPostgres(postgres)
    ended.push({ name: 'Postgres', pid: postgres })
  }
  await endOrphansOfPostgres(home)
  return ended
}

const isOf = (pid: number, folder: string) => pid > 0 && commandLine(pid)?.includes(folder) === true

/** Rolls open transactions back and ends; one that hangs is killed. */
export const endPostgres = (pid: number) => endProcess(pid, POSTGRES_GRACE_MS, 'SIGINT')

/**
 * Ends the children of a Postgres that was killed: one that hangs, or that is in the middle of a long query, does not see that its
 * server is gone, and no new one starts beside it.
 */
export async function endOrphansOfPostgres(home: HomePaths): Promise<void> {
  const inside = processesIn(join(home.postgres, 'data'))
  if (inside.includes(postgresPid(home))) return // its server lives
  const orphans = inside.filter((pid) => commandLine(pid)?.startsWith('postgres: '))
  await Promise.all(orphans.map((pid) => endProcess(pid, 0, 'SIGKILL')))
}

const postgresPid = (home: HomePaths): number => postmasterPid(join(home.postgres, 'data')) ?? 0

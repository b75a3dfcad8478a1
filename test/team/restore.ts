import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../config/home.ts'
import { startPerson } from '../chaos/person.ts'
import {
  approve,
  begunAnew,
  brokenAtTheEnd,
  fileGoal,
  pendingReview,
  spoken,
  type TeamGoal,
} from './goals.ts'
import type { Outcome } from './kills.ts'
import type { Team } from './team.ts'

const run = promisify(execFile)

/** The arguments of a command in docs/operations.md, so that what is tried is what people are told. */
function documented(program: string): string[] {
  const line = new RegExp(`\\b${program} ([^\\n]*?)(?: [<>] |\\n)`).exec(readPage())?.[1]
  if (line === undefined) throw new Error(`docs/operations.md has no command with ${program}`)
  return line.split(' ')
}

/** The statement that is told to psql there, for a backup that began at `at`. */
function tellAgain(at: string): string {
  const statement = /psql [^"\n]*-c "(update outbox [^"]+)"/.exec(readPage())?.[1]
  if (!statement?.includes('WHEN')) throw new Error('docs/operations.md has no statement with WHEN')
  return statement.replace('WHEN', at)
}

const readPage = () => readFileSync(join(packageRoot(), 'docs', 'operations.md'), 'utf8')

export interface Backup {
  folder: string
  /** When the backup of the databases began, as Postgres has it. */
  at: string
}

interface Tools {
  /** Folder of pg_basebackup, pg_dump and pg_restore. */
  postgres: string
}

/** Databases first, then files, all while goals are at work: a row may lack its file never, a file its row. */
export async function backUp(team: Team, { postgres }: Tools): Promise<Backup> {
  const folder = join(team.folder, 'backup')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { rows } = await team.database.knex.raw('select now() as at')
  await run(join(postgres, 'pg_basebackup'), documented('pg_basebackup'), {
    env: connectionOf(team),
    maxBuffer: 1024 ** 3,
    encoding: 'buffer',
  }).then(({ stdout }) => writeFileSync(join(folder, 'postgres.tar'), stdout, { mode: 0o600 }))
  await saveFiles(team, folder)
  copyFileSync(join(team.folder, 'secrets', 'postgres_password'), join(folder, 'password'))
  return { folder, at: rows[0].at }
}

/** Where a container's own programs connect by themselves. */
const connectionOf = (team: Pick<Team, 'folder' | 'postgres'>) => ({
  PGHOST: team.postgres.host,
  PGPASSWORD: readFileSync(join(team.folder, 'secrets', 'postgres_password'), 'utf8').trim(),
})

/** Sockets and a file that changes meanwhile make tar end with 1, which is well. */
async function saveFiles(team: Team, folder: string): Promise<void> {
  const tar = ['-C', team.folder, '--exclude=*.sock', '--exclude=home/logs']
  await run('tar', [...tar, '-cf', join(folder, 'files.tar'), 'home', 'agents']).catch(
    (error: Error & { code?: number }) => {
      if (error.code !== 1) throw error
    },
  )
}

/** An empty server with what the backup holds: nothing of before is left but the repositories. */
async function restoreInto(folder: string, backup: Backup): Promise<void> {
  const { uid } = statSync(join(folder, 'pg', 'data'))
  for (const name of ['home', 'agents', 'pg', 'secrets'])
    rmSync(join(folder, name), { recursive: true, force: true, maxRetries: 5 })
  const data = join(folder, 'pg', 'data')
  mkdirSync(data, { recursive: true, mode: 0o700 })
  await run('tar', ['-C', data, '-xf', join(backup.folder, 'postgres.tar')])
  await run('tar', ['-C', folder, '-xf', join(backup.folder, 'files.tar')])
  // what the embedded Postgres knows its own clusters by
  copyFileSync(join(backup.folder, 'password'), join(folder, 'pg', 'password'))
  writeFileSync(join(folder, 'pg', 'initialised'), 'restored\n')
  // as the image's own entrypoint does for a volume that root filled
  if (process.getuid?.() === 0) await run('chown', ['-R', String(uid), data])
}

export interface RestoreOptions {
  tools: Tools
  /** Starts the team again on its folder; `first` is done when only Postgres runs. */
  again: (
    folder: string,
    first?: (team: Pick<Team, 'folder' | 'postgres'>) => Promise<void>,
  ) => Promise<Team>
  say: (line: string) => void
}

interface Restored {
  outcome: Outcome
  /** The team that runs now. */
  team: Team
}

/**
 * A backup of a server at work, restored into an empty one: a goal that waited at its review is approved there and
 * merges, and one whose agent was at work at that moment goes on.
 */
export async function restoreOneMoment(
  team: Team,
  { tools, again, say }: RestoreOptions,
): Promise<Restored> {
  const waiting = await fileGoal(team, 'restore waiting', { person: false })
  await approve(team, await pendingReview(team, waiting, 'spec'))
  await pendingReview(team, waiting, 'task')
  const working = await fileGoal(team, 'restore working', {
    directives: '[demo:implement=slow:4]',
  })
  await spoken(team, working)
  const backup = await backUp(team, tools)
  await working.person?.leave()
  await team.stop()
  const at = Date.now()
  await restoreInto(team.folder, backup)
  const restored = await again(team.folder)
  const broken = await endsOf(restored, [waiting, working])
  broken.push(...(await begunAnew(restored, working)))
  const outcome = {
    what: 'restored into an empty server, from a backup taken at work',
    meanwhile: 'the goal that waited was approved there; the one at work went on by its session',
    recoveryMs: Date.now() - at,
    broken,
  }
  tell(outcome, say)
  return { outcome, team: restored }
}

/**
 * Databases of two moments: Temporal's are older than Dispatch's. What Temporal acknowledged since is told again by the
 * documented statement: a goal that it never heard of starts, decisions that it forgot arrive, nothing happens twice.
 */
export async function restoreTwoMoments(
  team: Team,
  { tools, again, say }: RestoreOptions,
): Promise<Restored> {
  const older = await fileGoal(team, 'restore older', { person: false })
  const specReview = await pendingReview(team, older, 'spec')
  const backup = await backUp(team, tools)
  // after Temporal's moment: a decision, the work that followed, and a goal that it will not know
  await approve(team, specReview)
  await pendingReview(team, older, 'task')
  const unknown = await fileGoal(team, 'restore unknown', { person: false })
  await pendingReview(team, unknown, 'spec')
  const dump = join(backup.folder, 'dispatch.dump')
  const pg = (at: Pick<Team, 'folder' | 'postgres'>, program: string, args: string[]) =>
    run(join(tools.postgres, program), args, { env: connectionOf(at) })
  await pg(team, 'pg_dump', [...documented('pg_dump'), '-f', dump])
  await saveFiles(team, backup.folder)
  await team.stop()
  const at = Date.now()
  await restoreInto(team.folder, backup)
  const restored = await again(team.folder, async (database) => {
    await pg(database, 'dropdb', documented('dropdb'))
    await pg(database, 'createdb', documented('createdb'))
    await pg(database, 'pg_restore', [...documented('pg_restore'), dump])
    await pg(database, 'psql', ['-U', 'dispatch', 'dispatch', '-c', tellAgain(backup.at)])
  })
  const broken = await endsOf(restored, [older, unknown])
  const outcome = {
    what: "restored with Temporal's databases older than Dispatch's",
    meanwhile:
      'a forgotten decision arrived again, and a goal that Temporal never knew was started',
    recoveryMs: Date.now() - at,
    broken,
  }
  tell(outcome, say)
  return { outcome, team: restored }
}

/** Somebody decides whatever waits; what is broken when all are over. */
async function endsOf(team: Team, goals: readonly TeamGoal[]): Promise<string[]> {
  for (const goal of goals) goal.person = startPerson(team, goal.id)
  const broken: string[] = []
  for (const goal of goals) broken.push(...(await brokenAtTheEnd(team, goal)))
  return broken
}

function tell(outcome: Outcome, say: (line: string) => void): void {
  say(`${outcome.what}: ${(outcome.recoveryMs / 1000).toFixed(1)} s; ${outcome.meanwhile}`)
  for (const line of outcome.broken) say(`  BROKEN ${line}`)
}

import type { Knex } from 'knex'
import { goalStream } from '../contracts/ids.ts'
import { someOf } from '../contracts/some-of.ts'
import { OVER_STATUSES, type Stage } from '../contracts/stages.ts'
import { storable } from '../contracts/storable.ts'
import type { Database, Tx } from './connect.ts'
import type { EmittedEvent } from './events.ts'

/** Files that decide which programs git runs, new, gone or different. */
interface GitChange {
  projectId: string
  /** The hub that agents' worktrees hang off, where they were put back; or the person's own repository. */
  place: 'hub' | 'repository'
  files: readonly string[]
}

/** Hooks may have any name, and be as many as an agent likes. */
const FILES_KEPT = 100

/** Folders of a hub that come back with what was published and with nothing else. */
const HOLDS_COMMITS = ['objects', 'refs']
const LOST =
  ' What was published is there, and so are the files in worktrees. What agents had only stashed, or committed and not left in their files, is lost.'

const NOTICE = {
  hub: (name: string, files: string) =>
    `An agent changed the settings of Dispatch's own copy of ${name}: ${files}. They were put back.`,
  repository: (name: string, files: string) =>
    `The git settings of ${name} changed: ${files} in its .git. If it was not you, look at them before you use git there.`,
}

const DEVIATION = {
  hub: (file: string) =>
    `${file} of the repository's own settings was changed while this was worked on; it was put back`,
  repository: (file: string) =>
    `${file} in the .git of your repository changed while this was worked on`,
}

/**
 * Keeps a change for the reviews of all work that goes on: nobody knows whose agent it was. Each goal at work is told.
 */
export async function recordGitChange(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  { projectId, place, files }: GitChange,
): Promise<void> {
  const kept = storable(files.slice(0, FILES_KEPT))
  await tx('git_changes').insert({ project_id: projectId, place, files: kept })
  const { name } = await tx('projects').where({ id: projectId }).first('name')
  const goals: string[] = await tx('goals')
    .where({ project_id: projectId })
    .whereNotIn('status', OVER_STATUSES)
    .pluck('id')
  const lost = place === 'hub' && files.some((file) => HOLDS_COMMITS.includes(file))
  const text = storable(`${NOTICE[place](name, someOf(files))}${lost ? LOST : ''}`)
  const data = { level: 'warn', text } as const
  for (const id of goals)
    emit({ type: 'system.notice', stream: goalStream(id), actor: 'dispatch', data })
}

/** What git is given to call before it puts back what agents changed in a hub. */
export const recordTampering =
  (database: Database) =>
  (projectId: string, files: readonly string[]): Promise<void> =>
    database.change((tx, emit) => recordGitChange(tx, emit, { projectId, place: 'hub', files }))

/** Marks what is known before a stage's agent begins: what is recorded later may be its doing. Again, it changes nothing. */
export async function markGitSeen(knex: Knex, projectId: string, attemptId: string): Promise<void> {
  const last = '(select coalesce(max(id), 0) from git_changes where project_id = ?)'
  await knex('stage_attempts')
    .where({ id: attemptId })
    .whereNull('git_seen')
    .update({ git_seen: knex.raw(last, [projectId]) })
}

/** In words, each once: what changed since the first agent of these stages of a goal began; `beforeTasks`: and before one of a task did. */
export async function gitChangesSince(
  knex: Knex,
  { id: goalId, project_id }: { id: string; project_id: string },
  {
    stages,
    beforeTasks = false,
    ...of
  }: { task_id?: string | null; stages?: readonly Stage[]; beforeTasks?: boolean } = {},
): Promise<string[]> {
  const attempts = () => knex('stage_attempts').where({ goal_id: goalId }).min('git_seen')
  const began = attempts().where(of)
  if (stages) began.whereIn('stage', stages)
  const changes: GitChange[] = await knex('git_changes')
    .where({ project_id })
    .whereRaw('id > coalesce((?), 0)', [began])
    .modify((query) => {
      if (beforeTasks) query.where('id', '<=', attempts().whereNotNull('task_id'))
    })
    .orderBy('id')
    .select('place', 'files')
  return [...new Set(changes.flatMap(({ place, files }) => files.map(DEVIATION[place])))]
}

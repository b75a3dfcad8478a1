import type { ProjectRow } from '../db/facts.ts'
import { markGitSeen, recordGitChange } from '../db/git-changes.ts'
import type { StageRow } from '../db/stages.ts'
import { type ConfigSnapshot, changedConfig } from '../git/config-snapshot.ts'
import { GitProblem } from '../git/problem.ts'
import type { ActivityDeps } from './deps.ts'

/**
 * What of the person's repository decides which programs git runs there, and is new, gone or different since it was looked at last.
 * An agent without a sandbox can write there, and the person's next git command would run what it wrote (facts R09); so can the
 * person, who is told all the same. A change is kept in the transaction that remembers how it looks now. git is waited for before
 * it: who looks at the same time and is first has kept it, and the other one looks again.
 */
export async function lookAtGitSettings(
  { database, git }: Pick<ActivityDeps, 'database' | 'git'>,
  { id, path }: Pick<ProjectRow, 'id' | 'path'>,
): Promise<void> {
  for (;;) {
    const row = await database.knex('projects').where({ id }).first('git_settings')
    const known: ConfigSnapshot | null = row.git_settings
    const now = await git.snapshotConfig(path).catch((error) => {
      if (error instanceof GitProblem) return undefined // it was moved away: the merge says so
      throw error
    })
    const files = known && now ? changedConfig(known, now) : []
    if (!now || (known && files.length === 0)) return
    const stored = await database.change(async (tx, emit) => {
      const as = known && JSON.stringify(known)
      const count = await tx('projects')
        .where({ id })
        .whereRaw('git_settings is not distinct from ?::jsonb', [as])
        .update({ git_settings: JSON.stringify(now) })
      if (count === 1 && files.length > 0)
        await recordGitChange(tx, emit, { projectId: id, place: 'repository', files })
      return count === 1
    })
    if (stored) return
  }
}

/** Before a stage's agent begins: what changed until now is not its doing. A worker that comes later does not move the mark. */
export async function watchGitSettings(
  deps: Pick<ActivityDeps, 'database' | 'git'>,
  project: Pick<ProjectRow, 'id' | 'path'>,
  attempt: Pick<StageRow, 'id' | 'git_seen'>,
): Promise<void> {
  if (attempt.git_seen !== null) return
  await lookAtGitSettings(deps, project)
  await markGitSeen(deps.database.knex, project.id, attempt.id)
}

import { goalStream } from '../contracts/ids.ts'
import type { GoalFacts } from '../db/facts.ts'
import { changedConfig } from '../git/config-snapshot.ts'
import { GitProblem } from '../git/problem.ts'
import type { ActivityDeps } from './deps.ts'

/**
 * What of the person's repository decides which programs git runs there, and is new, gone or different since it was looked at last.
 * An agent without a sandbox can write there, and the person's next git command would run what it wrote (facts R09); so can the
 * person, who is told all the same. Each change is told once, in the transaction that remembers it.
 */
export async function lookAtGitSettings(
  { database, git }: Pick<ActivityDeps, 'database' | 'git'>,
  { goal, project }: Pick<GoalFacts, 'goal' | 'project'>,
): Promise<string[]> {
  return database.change(async (tx, emit) => {
    const row = () => tx('projects').where({ id: project.id })
    const { config_hash: known } = await row().forUpdate().first('config_hash')
    const now = await git.snapshotConfig(project.path).catch((error) => {
      if (error instanceof GitProblem) return undefined // it was moved away: the merge says so
      throw error
    })
    if (!now) return []
    await row().update({ config_hash: JSON.stringify(now) })
    const changed = known === null ? [] : changedConfig(JSON.parse(known), now)
    if (changed.length > 0) {
      const text = `The git settings of ${project.name} changed: ${changed.join(', ')} in its .git. If it was not you, look at them before you use git there.`
      const data = { level: 'warn', text } as const
      emit({ type: 'system.notice', stream: goalStream(goal.id), actor: 'dispatch', data })
    }
    return changed
  })
}

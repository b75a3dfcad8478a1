import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Access, Sandbox } from '../contracts/agent.ts'
import type { GoalFacts } from '../db/facts.ts'
import { sandboxedGit } from '../git/layout.ts'

/** The sandbox of a run in the project's worktree; undefined where the project has none. Stages that only look get the worktree read-only. */
export function sandboxOf(
  home: string,
  { project }: Pick<GoalFacts, 'project'>,
  { path, access }: { path: string; access: Access },
): Sandbox | undefined {
  if (project.sandbox === 'none') return undefined
  const git = sandboxedGit(realpathSync(home), project.id)
  const { network } = project
  if (access === 'read') return { network, readOnly: [...git, path], writable: [], kept: [] }
  return { network, readOnly: git, writable: [path], kept: [join(path, '.git')] }
}

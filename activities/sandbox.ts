import { realpathSync } from 'node:fs'
import { join } from 'node:path'
import type { Access, Sandbox } from '../contracts/agent.ts'
import type { GoalFacts } from '../db/facts.ts'
import { narrowerNetwork } from '../domain/network.ts'
import { sandboxedGit } from '../git/layout.ts'
import type { ActivityDeps } from './deps.ts'

/** The sandbox of a run in the project's worktree; undefined where the project has none. Stages that only look get the worktree read-only. */
export function sandboxOf(
  { home, environment }: Pick<ActivityDeps, 'home' | 'environment'>,
  { project, profileNetwork }: Pick<GoalFacts, 'project' | 'profileNetwork'>,
  { path, access }: { path: string; access: Access },
): Sandbox | undefined {
  if (project.sandbox === 'none') return undefined
  const git = sandboxedGit(realpathSync(home), project.id)
  const network = narrowerNetwork(project.network, profileNetwork)
  const base = { network, never: ownServers(environment) }
  if (access === 'read') return { ...base, readOnly: [...git, path], writable: [], kept: [] }
  return { ...base, readOnly: git, writable: [path], kept: [join(path, '.git')] }
}

/** Temporal and Postgres, where they are on machines of their own. */
function ownServers({
  DATABASE_URL = '',
  TEMPORAL_ADDRESS,
}: ActivityDeps['environment']): string[] {
  const database = URL.canParse(DATABASE_URL) ? new URL(DATABASE_URL) : undefined
  return [
    ...(database?.hostname ? [`${database.hostname}:${database.port || 5432}`] : []),
    ...(TEMPORAL_ADDRESS ? [TEMPORAL_ADDRESS] : []),
  ]
}

import type { Logger } from 'pino'
import type { Database } from '../db/connect.ts'
import { liveWorktreeKeys } from '../db/live-worktrees.ts'
import type { Git } from '../git/git.ts'

/**
 * Clears what killed processes left in every project's hubs and worktrees: slots that were being cleaned or made, claims
 * of work that is over, stale locks. Work that is nowhere else is saved first. Runs beside the work: everything that a
 * goal still needs is left alone. A project that cannot be repaired is logged; `dispatch doctor` names it.
 */
export async function repairProjects(
  { database, git, log }: { database: Database; git: Pick<Git, 'repair'>; log: Logger },
  signal: AbortSignal,
): Promise<void> {
  const ids: string[] = await database.knex('projects').orderBy('number').pluck('id')
  for (const projectId of ids) {
    if (signal.aborted) return
    const liveKeys = () => liveWorktreeKeys(database.knex, projectId)
    try {
      for (const line of await git.repair({ projectId, liveKeys })) log.info({ projectId }, line)
    } catch (error) {
      log.warn({ err: error, projectId }, 'what is left over in a project could not be cleared')
    }
  }
}

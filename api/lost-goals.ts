import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import { goalWorkflowId, shortId } from '../contracts/ids.ts'
import { someOf } from '../contracts/some-of.ts'
import type { Database } from '../db/connect.ts'
import type { DoctorFinding } from '../db/doctor.ts'
import { goalsAtWork, tellAgain } from '../db/goals-at-work.ts'

/** Whether Temporal has this workflow and it goes on. */
export async function workflowRuns(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe()
    return status.name === 'RUNNING'
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false
    throw error
  }
}

/**
 * Goals at work that nothing moves, because Temporal does not know them: its database was lost or restored. `repair` begins them again,
 * which is not done unasked: another Temporal than the one before would look the same.
 */
export async function lostGoalsFinding(
  database: Database,
  client: Client,
  repair: boolean,
): Promise<DoctorFinding> {
  const { knex } = database
  const lost: string[] = []
  for (const { id } of await goalsAtWork(knex))
    if (!(await workflowRuns(client, goalWorkflowId(id)))) lost.push(id)
  // one may have ended meanwhile
  const names = (await goalsAtWork(knex))
    .filter(({ id }) => lost.includes(id))
    .map(({ number }) => shortId('goal', number))
  const name = 'goals'
  if (names.length === 0)
    return {
      name,
      ok: true,
      repaired: false,
      message: 'Temporal knows every goal at work',
      advice: null,
    }
  if (repair) await database.change((tx) => tellAgain(tx, lost))
  const them = names.length === 1 ? 'it' : 'them'
  return {
    ...{ name, ok: repair, repaired: repair },
    message: repair
      ? `Temporal did not know ${someOf(names)}: begun again from what is stored`
      : `Temporal does not know ${someOf(names)}: nothing moves ${them}`,
    advice: repair
      ? null
      : `"dispatch doctor --repair" begins ${them} again from what is stored; or cancel ${them}`,
  }
}

import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import { goalWorkflowId, shortId } from '../contracts/ids.ts'
import { someOf } from '../contracts/some-of.ts'
import type { Database } from '../db/connect.ts'
import type { DoctorFinding } from '../db/doctor.ts'
import { goalsAtWork } from '../db/goals-at-work.ts'

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

/** Goals at work that nothing moves, because Temporal does not know them: its database was lost or restored. */
export async function lostGoalsFinding({ knex }: Database, client: Client): Promise<DoctorFinding> {
  const lost: string[] = []
  for (const { id } of await goalsAtWork(knex))
    if (!(await workflowRuns(client, goalWorkflowId(id)))) lost.push(id)
  // one may have ended meanwhile
  const names = (await goalsAtWork(knex))
    .filter(({ id }) => lost.includes(id))
    .map(({ number }) => shortId('goal', number))
  const ok = names.length === 0
  return {
    ...{ name: 'goals', ok, repaired: false },
    message: ok
      ? 'Temporal knows every goal at work'
      : `Temporal does not know ${someOf(names)}: nothing moves ${names.length === 1 ? 'it' : 'them'}`,
    advice: ok
      ? null
      : 'pause and resume each, and it begins again from what is stored, or cancel it',
  }
}

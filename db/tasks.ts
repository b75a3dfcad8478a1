import { goalStream, shortId } from '../contracts/ids.ts'
import type { StageAgent } from '../contracts/schemas.ts'
import { refuseTaskAgent } from './adapters.ts'
import type { Tx } from './connect.ts'
import type { EmittedEvent } from './events.ts'
import type { TaskRow } from './facts.ts'
import { type Refusal, refuse } from './refusal.ts'

/** Says who writes a task from its next run on; null leaves it to the profile. Refused when the task is over. */
export async function setTaskAgent(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  input: { id: string; agent: StageAgent | null; actor: string },
): Promise<Refusal | undefined> {
  const { id, agent, actor } = input
  const task: TaskRow = await tx('tasks').where({ id }).forUpdate().first()
  if (task.status === 'integrated' || task.status === 'cancelled')
    return refuse('wrong_state', `${shortId('task', task.number)} is over (${task.status}).`, {
      current: { status: task.status },
    })
  const refused = await refuseTaskAgent(tx, [agent])
  if (refused) return refused
  await tx('tasks')
    .where({ id })
    .update({
      ...{ agent: agent && JSON.stringify(agent), agent_since: tx.fn.now() },
      updated_at: tx.fn.now(),
    })
  const { goal_id: goalId, status, reason } = task
  emit({
    ...{ type: 'task.status', stream: goalStream(goalId), actor },
    data: { goalId, taskId: id, status, reason },
  })
  return undefined
}

import { hostname } from 'node:os'
import type { Connection } from '@temporalio/client'
import type { TemporalConfig } from '../../config/config.ts'
import { processStart } from '../../config/process-table.ts'
import { connectTemporal, TemporalAway } from '../../temporal/connection.ts'
import { prepareNamespace, SEARCH_ATTRIBUTE_TYPES } from '../../temporal/search-attributes.ts'

/** Who does not answer by then is waited for by the worker. */
const CONNECT_MS = 5_000
/** Who may not ask in time who else is there is not kept waiting for the answer. */
const LOOK_MS = 5_000
const WORKFLOW = 1 // temporal.api.enums.v1.TaskQueueType

/**
 * Registers our search attributes in a Temporal that is not ours, where they are missing. Whoever runs it may not let us: then it is said what to
 * do, because no goal starts there without them. That nobody answers is told by the worker, which needs it too. Says also when another
 * installation's worker takes from the queue that the person named.
 */
export async function prepareElsewhere(
  { address = '', namespace, taskQueue, tls, apiKey }: TemporalConfig,
  { say, signal }: { say: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  const where = `the namespace ${namespace} of Temporal at ${address}`
  try {
    const connection = await connectTemporal({ address, tls, apiKey, connectTimeoutMs: CONNECT_MS })
    try {
      const [other] = taskQueue ? await othersAtWork(connection, { namespace, taskQueue }) : []
      if (other !== undefined)
        say(
          `another worker (${other}) takes from the queue ${taskQueue} in ${where}. Unless it is one of this Dispatch, each would take the other's ` +
            'goals, and know none of them: once the goals of this one are over, leave out TEMPORAL_TASK_QUEUE (temporal.task_queue in config.toml), for each database has a queue of its own.',
        )
      const isNew = await prepareNamespace(connection, namespace, { theirs: true, signal })
      if (isNew) say(`registered the search attributes of Dispatch in ${where}`)
    } finally {
      await connection.close()
    }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof TemporalAway) return
    const names = Object.keys(SEARCH_ATTRIBUTE_TYPES).join(', ')
    say(
      `the search attributes of Dispatch could not be registered in ${where} (${(error as Error).message}). No goal starts there without them: ` +
        `have ${names} registered (PendingReview as Bool, the others as Keyword).`,
    )
  }
}

/** Workers of that queue, as `pid@host`: Temporal tells of some minutes, so those of this machine that have ended are left out. */
async function othersAtWork(
  connection: Connection,
  { namespace, taskQueue }: { namespace: string; taskQueue: string },
): Promise<string[]> {
  const asked = { namespace, taskQueue: { name: taskQueue }, taskQueueType: WORKFLOW }
  const look = () => connection.workflowService.describeTaskQueue(asked)
  const { pollers } = await connection
    .withDeadline(Date.now() + LOOK_MS, look)
    .catch(() => ({ pollers: [] }))
  return (pollers ?? []).flatMap(({ identity }) => {
    const [pid, host] = identity?.split('@') ?? []
    const hasEnded = host === hostname() && processStart(Number(pid)) === undefined
    return identity && !hasEnded ? [identity] : []
  })
}

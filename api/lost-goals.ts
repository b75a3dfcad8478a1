import { type Client, WorkflowNotFoundError } from '@temporalio/client'
import type { Logger } from 'pino'
import { goalWorkflowId, shortId } from '../contracts/ids.ts'
import { someOf } from '../contracts/some-of.ts'
import type { Database } from '../db/connect.ts'
import type { DoctorFinding } from '../db/doctor.ts'
import { goalsAtWork, tellAgain } from '../db/goals-at-work.ts'
import { askAboutLost, askNoMore } from '../db/lost-goals.ts'

/** Whether Temporal knows every goal at work is looked at so often, and whenever it is back. */
const LOOK_MS = 600_000
const ANSWER_MS = 10_000

/** Whether Temporal has this workflow and it goes on. Throws where it does not say within ten seconds. */
export async function workflowRuns(client: Client, workflowId: string): Promise<boolean> {
  const describe = () => client.workflow.getHandle(workflowId).describe()
  try {
    const { status } = await client.withDeadline(Date.now() + ANSWER_MS, describe)
    return status.name === 'RUNNING'
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false
    throw error
  }
}

export interface LostGoalsWatch {
  /** Looks, beside whatever else is done, when it is time to. */
  look(client: Client): void
  /** It is time to: Temporal was away. */
  again(): void
  close(): Promise<void>
}

/**
 * Goals at work that Temporal lost ask for a person where nothing else would begin them again, which is not done unasked: another
 * Temporal than the one before would look the same.
 */
export function createLostGoalsWatch({
  database,
  log,
}: {
  database: Database
  log: Pick<Logger, 'warn'>
}): LostGoalsWatch {
  let looking: Promise<void> | undefined
  let nextAt = 0
  let closed = false

  async function lookAtAll(client: Client): Promise<void> {
    const { rows } = await database.knex.raw('select now() as now')
    const known: string[] = []
    const lost: string[] = []
    for (const { id } of await goalsAtWork(database.knex)) {
      if (closed) return
      const runs = await workflowRuns(client, goalWorkflowId(id))
      ;(runs ? known : lost).push(id)
    }
    await database.change(async (tx, emit) => {
      await askNoMore(tx, emit, known)
      await askAboutLost(tx, emit, { ids: lost, lookedAt: rows[0].now })
    })
  }

  return {
    look(client) {
      if (looking || performance.now() < nextAt) return
      nextAt = performance.now() + LOOK_MS
      looking = lookAtAll(client)
        .catch((error) => log.warn({ err: error }, 'lost goals could not be looked for'))
        .finally(() => {
          looking = undefined
        })
    },
    again() {
      nextAt = 0
    },
    async close() {
      closed = true
      await looking
    },
  }
}

/**
 * Goals at work that nothing moves, because Temporal does not know them: its database was lost or restored. `repair` begins them again.
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

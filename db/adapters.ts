import { AUTO, type Detection } from '../contracts/agent.ts'
import { SYSTEM_STREAM } from '../contracts/ids.ts'
import type { StageAgent } from '../contracts/schemas.ts'
import type { Database, Tx } from './connect.ts'
import { type Refusal, refuse } from './refusal.ts'

/** Asks workers to look for agents again. */
export const ADAPTERS_CHANNEL = 'dispatch_adapters'

/** Told when the transaction commits; nobody waits for the answer, which comes as an event. */
export async function askForScan(tx: Tx): Promise<void> {
  await tx.raw('select pg_notify(?, ?)', [ADAPTERS_CHANNEL, ''])
}

/** Stores what detection found on this machine, and says so; the API only reads it. */
export async function storeDetections(
  database: Database,
  detections: readonly Detection[],
): Promise<void> {
  await database.change(async (tx, emit) => {
    for (const detection of detections) {
      const row = { detection: JSON.stringify(detection), detected_at: tx.fn.now() }
      await tx('adapters')
        .insert({ adapter: detection.adapter, ...row })
        .onConflict('adapter')
        .merge(row)
    }
    emit({
      type: 'settings.changed',
      stream: SYSTEM_STREAM,
      actor: 'dispatch',
      data: { keys: ['adapters'] },
    })
  })
}

/**
 * Refuses an agent that Dispatch cannot drive. One that is not installed is welcome, and so is any `acp:<name>`: the
 * configuration may name it later. Before the first look for agents nobody knows which there are.
 */
export async function refuseUnknownAgent(
  tx: Tx,
  agents: readonly (StageAgent | null | undefined)[],
): Promise<Refusal | undefined> {
  const known: string[] = await tx('adapters').orderBy('adapter').pluck('adapter')
  const unknown = agents.find(
    (agent) => agent && ![AUTO, ...known].includes(agent.adapter) && !/^acp:./.test(agent.adapter),
  )
  if (!unknown || known.length === 0) return undefined
  return refuse('bad_setting', `There is no agent ${JSON.stringify(unknown.adapter)}.`, {
    advice: `There are ${known.join(', ')}; see dispatch adapters.`,
  })
}

/** `refuseUnknownAgent`, and `auto` too: who writes a task is named. */
export async function refuseTaskAgent(
  tx: Tx,
  agents: readonly (StageAgent | null | undefined)[],
): Promise<Refusal | undefined> {
  if (agents.some((agent) => agent?.adapter === AUTO))
    return refuse('bad_setting', 'A task needs an agent by name; auto is for profiles.', {
      advice: 'Name one of dispatch adapters, or none to leave it to the profile.',
    })
  return refuseUnknownAgent(tx, agents)
}

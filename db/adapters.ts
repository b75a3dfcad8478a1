import type { Detection } from '../contracts/agent.ts'
import { SYSTEM_STREAM } from '../contracts/ids.ts'
import type { Database, Tx } from './connect.ts'

/** Asks workers to look for agents again. */
export const ADAPTERS_CHANNEL = 'dispatch_adapters'

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

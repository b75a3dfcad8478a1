import type { Detection } from '../contracts/agent.ts'
import type { Database } from './connect.ts'

/** Stores what detection found on this machine; the API only reads it. */
export async function storeDetections(
  database: Database,
  detections: readonly Detection[],
): Promise<void> {
  for (const detection of detections) {
    const row = { detection: JSON.stringify(detection), detected_at: database.knex.fn.now() }
    await database
      .knex('adapters')
      .insert({ adapter: detection.adapter, ...row })
      .onConflict('adapter')
      .merge(row)
  }
}

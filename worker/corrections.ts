import type { Database } from '../db/connect.ts'
import { CORRECTIONS_CHANNEL, waitingCorrections } from '../db/corrections.ts'
import { listen } from '../db/listen.ts'
import type { RunnerClient } from '../runner/runner.ts'

/** Hints get lost; what waits is looked for this often besides. */
const LOOK_MS = 15_000

export interface CorrectionDelivery {
  close(): Promise<void>
}

/**
 * Hands stored corrections to the runs of this machine, as soon as they are filed. Handing one over twice is harmless (its id makes
 * it happen once), so every worker tries: only the one that has the run reaches it. A correction whose run is not there yet, or
 * is just ending, stays queued; the next attempt's prompt brings it then.
 */
export function deliverCorrections(deps: {
  url: string
  database: Database
  runner: Pick<RunnerClient, 'send'>
  onError: (error: Error) => void
}): CorrectionDelivery {
  let work = Promise.resolve()
  const look = (runId?: string) => {
    work = work.then(() => handOver(runId)).catch(deps.onError)
  }
  const handOver = async (runId?: string) => {
    for (const { id, runId: run, text } of await waitingCorrections(deps.database.knex, runId))
      await deps.runner.send(run, { type: 'correct', id, text })
  }
  const timer = setInterval(look, LOOK_MS)
  const listener = listen({
    url: deps.url,
    channels: [CORRECTIONS_CHANNEL],
    onNotify: (_channel, runId) => look(runId),
    onConnected: () => look(),
    onError: deps.onError,
  })
  return {
    async close() {
      clearInterval(timer)
      await listener.close()
      await work
    },
  }
}

import type { TemporalConfig } from '../../config/config.ts'
import { connectTemporal, TemporalAway } from '../../temporal/connection.ts'
import { prepareNamespace, SEARCH_ATTRIBUTE_TYPES } from '../../temporal/search-attributes.ts'

/** Who does not answer by then is waited for by the worker. */
const CONNECT_MS = 5_000

/**
 * Registers our search attributes in a Temporal that is not ours, where they are missing. Whoever runs it may not let us: then it is said what to
 * do, because no goal starts there without them. That nobody answers is told by the worker, which needs it too.
 */
export async function prepareElsewhere(
  { address = '', namespace, tls, apiKey }: TemporalConfig,
  { say, signal }: { say: (line: string) => void; signal: AbortSignal },
): Promise<void> {
  const where = `the namespace ${namespace} of Temporal at ${address}`
  try {
    const connection = await connectTemporal({ address, tls, apiKey, connectTimeoutMs: CONNECT_MS })
    const isNew = await prepareNamespace(connection, namespace, { theirs: true, signal }).finally(
      () => connection.close(),
    )
    if (isNew) say(`registered the search attributes of Dispatch in ${where}`)
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

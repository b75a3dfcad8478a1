import { SYSTEM_STREAM } from '../contracts/ids.ts'
import type { AdapterInfo } from '../contracts/schemas.ts'
import type { Deps } from './command.ts'

/** On a busy machine an agent takes ten seconds to say its version. */
const PATIENCE_MS = 20_000

/**
 * Makes a change after which workers look for agents, and waits until what they found is as `ready` says. Undefined when that takes too
 * long: then they are still looking, or none runs.
 */
export async function afterScan(
  change: () => Promise<unknown>,
  ready: (adapters: readonly AdapterInfo[]) => boolean,
  deps: Deps,
): Promise<readonly AdapterInfo[] | undefined> {
  const { items } = await deps.call('listEvents', { query: { stream: SYSTEM_STREAM, last: 1 } })
  await change()
  const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(PATIENCE_MS)])
  const after = items.at(-1)?.seq ?? 0
  for await (const { type, data } of deps.subscribe(SYSTEM_STREAM, { after, signal })) {
    if (type !== 'settings.changed' || !(data as { keys: string[] }).keys.includes('adapters'))
      continue
    const { items: found } = await deps.call('listAdapters')
    if (ready(found)) return found
  }
  return undefined
}

import type { TranscriptEntry } from '../../../../contracts/schemas.ts'
import { useLiveLog } from '../../app/live-log.ts'
import { lastSaid } from '../../lib/last-said.ts'

const NEWEST = 40

/** The last thing that a running agent said or did, as it comes; `known` until then. */
export function useLastLine(runId: string | undefined, known: string | null): string | null {
  const { items } = useLiveLog<TranscriptEntry>(runId && `run/${runId}`, NEWEST, NEWEST)
  return lastSaid(items) ?? known
}

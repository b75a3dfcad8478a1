import { useQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import type { TranscriptEntry } from '../../../../contracts/schemas.ts'
import { useLiveLog } from '../../app/live-log.ts'
import { entriesQuery } from '../../app/queries.ts'

export interface Entries {
  items: readonly TranscriptEntry[]
  /** What was stored before is there. */
  ready: boolean
  /** It could not be read. */
  error: Error | null
  retry: () => void
}

/** All entries of one kind in a run's transcript, oldest first, and those that come. */
export function useEntries(runId: string, kind: 'file' | 'reasoning' | 'usage'): Entries {
  const { data: stored, error, refetch } = useQuery(entriesQuery(runId, kind))
  const { items: live } = useLiveLog<TranscriptEntry>(`run/${runId}`, 0)
  const items = useMemo(() => {
    const known = stored ?? []
    const last = known.at(-1)?.seq ?? 0
    const fresh = live.filter((entry) => entry.kind === kind && entry.seq > last)
    return fresh.length === 0 ? known : [...known, ...fresh]
  }, [stored, live, kind])
  const ready = stored !== undefined
  return { items, ready, error: ready ? null : error, retry: () => void refetch() }
}

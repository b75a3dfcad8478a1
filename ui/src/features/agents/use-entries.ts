import { useEffect, useMemo, useState } from 'react'
import type { TranscriptEntry } from '../../../../contracts/schemas.ts'
import { call } from '../../app/api.ts'
import { useLiveLog } from '../../app/live-log.ts'

export interface Entries {
  items: readonly TranscriptEntry[]
  /** What was stored before is there. */
  ready: boolean
  error: Error | undefined
}

/** All entries of one kind in a run's transcript, oldest first, and those that come. */
export function useEntries(runId: string, kind: 'file' | 'reasoning' | 'usage'): Entries {
  const [stored, setStored] = useState<Entries>({ items: [], ready: false, error: undefined })
  const { items: live } = useLiveLog<TranscriptEntry>(`run/${runId}`, 0)
  useEffect(() => {
    let shown = true
    readAll(runId, kind).then(
      (items) => shown && setStored({ items, ready: true, error: undefined }),
      (error: Error) => shown && setStored({ items: [], ready: true, error }),
    )
    return () => {
      shown = false
    }
  }, [runId, kind])
  return useMemo(() => {
    const last = stored.items.at(-1)?.seq ?? 0
    const fresh = live.filter((entry) => entry.kind === kind && entry.seq > last)
    return fresh.length === 0 ? stored : { ...stored, items: [...stored.items, ...fresh] }
  }, [stored, live, kind])
}

async function readAll(runId: string, kind: string): Promise<TranscriptEntry[]> {
  const all: TranscriptEntry[] = []
  for (let after = 0; ; ) {
    const query = { kind, after, limit: 1_000 }
    const { items, next } = await call('getTranscript', { params: { id: runId }, query })
    all.push(...items)
    if (next === null) return all
    after = Number(next)
  }
}

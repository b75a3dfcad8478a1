import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { agentQuery } from '../../app/queries.ts'
import { ErrorState, SkeletonRows } from '../../components/states.tsx'
import type { RunTab } from './agents-search.ts'
import { RunView } from './run-view.tsx'

/** An agent run in the Focus Panel. */
export function RunPanel({ id }: { id: string }) {
  const { data: run, error, refetch } = useQuery(agentQuery(id))
  const [tab, setTab] = useState<RunTab>('activity')
  if (error && !run) return <ErrorState error={error} onRetry={() => void refetch()} />
  if (!run) return <SkeletonRows rows={4} label={`Loading ${id}`} />
  return <RunView key={run.id} run={run} tab={tab} onTab={setTab} inPanel />
}

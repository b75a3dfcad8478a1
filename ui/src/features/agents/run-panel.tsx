import { useQuery } from '@tanstack/react-query'
import type { TranscriptEntry } from '../../../../contracts/schemas.ts'
import { STAGE_TITLES } from '../../../../contracts/stages.ts'
import { useLiveLog } from '../../app/live-log.ts'
import { agentQuery } from '../../app/queries.ts'
import { AdapterMark } from '../../components/adapter-mark.tsx'
import { Duration } from '../../components/figures.tsx'
import { ErrorState, SkeletonRows } from '../../components/states.tsx'
import { StatusIcon } from '../../components/status-icon.tsx'

const NEWEST = 500

/** An agent run in the Focus Panel. */
export function RunPanel({ id }: { id: string }) {
  const { data: run, error, refetch } = useQuery(agentQuery(id))
  const { items } = useLiveLog<TranscriptEntry>(run && `run/${run.id}`, NEWEST)
  if (error) return <ErrorState error={error} onRetry={() => void refetch()} />
  if (!run) return <SkeletonRows rows={4} label={`Loading ${id}`} />
  const said = items
    .filter(({ kind }) => kind === 'text')
    .map(({ content }) => String(content['text'] ?? ''))
    .join('')
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex min-h-11 flex-wrap items-center gap-3 border-b py-2 pr-11 pl-4">
        <span className="text-fg-3">{run.shortId}</span>
        <StatusIcon status={run.status} />
        <AdapterMark adapter={run.adapter} />
        <span>{STAGE_TITLES[run.stage]}</span>
        {run.startedAt && <Duration from={run.startedAt} to={run.endedAt} className="text-fg-3" />}
      </div>
      <pre className="min-h-0 flex-1 overflow-y-auto px-4 py-3 font-mono text-mono whitespace-pre-wrap">
        {said}
      </pre>
    </div>
  )
}

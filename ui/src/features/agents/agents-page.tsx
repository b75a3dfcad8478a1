import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Bot } from 'lucide-react'
import { STAGE_TITLES } from '../../../../contracts/stages.ts'
import { agentsQuery } from '../../app/queries.ts'
import { AdapterMark } from '../../components/adapter-mark.tsx'
import { Duration, ShortId } from '../../components/figures.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { EmptyState, ErrorState, SkeletonRows } from '../../components/states.tsx'
import { StatusIcon } from '../../components/status-icon.tsx'

/** Agent runs, newest first. */
export function AgentsPage() {
  const { data, error, refetch } = useQuery(agentsQuery())
  return (
    <>
      <PageHeader crumbs={[{ label: 'Agents' }]} />
      {error && <ErrorState error={error} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows label="Loading agents" />}
      {data?.items.length === 0 && (
        <EmptyState
          icon={Bot}
          title="No agent has run yet"
          detail="Each stage of a goal starts one; they appear here as they do."
        />
      )}
      <ul className="min-h-0 flex-1 overflow-y-auto">
        {data?.items.map((run) => (
          <li key={run.id}>
            <Link
              to="/agents/$id"
              params={{ id: run.shortId }}
              className="flex h-9 items-center gap-3 border-b px-4 hover:bg-hover"
            >
              <StatusIcon status={run.status} quiet />
              <ShortId id={run.shortId} className="w-10" />
              <AdapterMark adapter={run.adapter} className="w-20" />
              <span className="flex-1 truncate">
                {run.goalShortId} {STAGE_TITLES[run.stage]}
              </span>
              {run.startedAt && (
                <Duration from={run.startedAt} to={run.endedAt} className="text-12 text-fg-3" />
              )}
            </Link>
          </li>
        ))}
      </ul>
    </>
  )
}

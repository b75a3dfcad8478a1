import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router'
import { STAGE_TITLES } from '../../../../contracts/stages.ts'
import { agentQuery } from '../../app/queries.ts'
import { buttonClass } from '../../components/button.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { ErrorState, SkeletonRows } from '../../components/states.tsx'
import { RunView } from './run-view.tsx'

const route = getRouteApi('/agents/$id')

/** One agent run over the whole main area. */
export function AgentPage() {
  const { id } = route.useParams()
  const { tab } = route.useSearch()
  const navigate = useNavigate({ from: '/agents/$id' })
  const { data: run, error, refetch } = useQuery(agentQuery(id))
  return (
    <>
      <PageHeader
        crumbs={[
          { label: 'Agents', to: '/agents' },
          { id, label: run ? STAGE_TITLES[run.stage] : '' },
        ]}
      />
      {error && !run && (
        <ErrorState error={error} onRetry={() => void refetch()}>
          <Link to="/agents" className={buttonClass()}>
            All agents
          </Link>
        </ErrorState>
      )}
      {!run && !error && <SkeletonRows rows={4} label={`Loading ${id}`} />}
      {run && (
        <RunView
          key={run.id}
          run={run}
          tab={tab ?? 'activity'}
          onTab={(next) =>
            void navigate({
              search: (before) =>
                ({ ...before, tab: next === 'activity' ? undefined : next }) as never,
              replace: true,
            })
          }
        />
      )}
    </>
  )
}

import { getRouteApi } from '@tanstack/react-router'
import { PageHeader } from '../../components/page-header.tsx'
import { RunPanel } from './run-panel.tsx'

const route = getRouteApi('/agents/$id')

/** One agent run over the whole main area. */
export function AgentPage() {
  const { id } = route.useParams()
  return (
    <>
      <PageHeader crumbs={[{ label: 'Agents', to: '/agents' }, { label: id }]} />
      <RunPanel id={id} />
    </>
  )
}

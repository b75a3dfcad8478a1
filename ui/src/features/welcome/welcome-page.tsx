import { useQuery } from '@tanstack/react-query'
import { adaptersQuery } from '../../app/queries.ts'
import { AdapterMark } from '../../components/adapter-mark.tsx'
import { PageHeader } from '../../components/page-header.tsx'

/** The first visit: which agents are here. */
export function WelcomePage() {
  const { data } = useQuery(adaptersQuery())
  return (
    <>
      <PageHeader crumbs={[{ label: 'Welcome' }]} />
      <ul className="flex flex-col gap-2 p-4">
        {data?.items.map((adapter) => (
          <li key={adapter.adapter} className="flex items-center gap-3">
            <AdapterMark adapter={adapter.adapter} />
            <span className="text-fg-2">
              {adapter.found ? (adapter.version ?? 'found') : adapter.advice}
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}

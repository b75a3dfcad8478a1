import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { ChartNoAxesColumn } from 'lucide-react'
import { Suspense, useMemo } from 'react'
import { formatUsedTokens } from '../../../../contracts/figures.ts'
import { LEDGER_GROUPS, type LedgerGroup, type LedgerOrder } from '../../../../contracts/ledger.ts'
import type { LedgerUsage } from '../../../../contracts/schemas.ts'
import { ledgerDaysQuery, ledgerQuery, projectsQuery } from '../../app/queries.ts'
import { Button } from '../../components/button.tsx'
import { costNote } from '../../components/figures.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Select } from '../../components/select.tsx'
import { EmptyState, ErrorState, Skeleton, SkeletonRows } from '../../components/states.tsx'
import { formatCost, formatUsageCost, plural } from '../../lib/format.ts'
import { lazyPart } from '../../lib/lazy-part.ts'
import { dayBars, dayOf, daysAgo } from './ledger-days.ts'
import { DEFAULT_SPAN, type LedgerSearch, SPANS } from './ledger-search.ts'
import { CacheHits, GROUP_NAMES, LedgerTable } from './ledger-table.tsx'

const route = getRouteApi('/ledger')
/** Charts are larger than all of the rest of the page. */
const DaysChart = lazyPart(async () => (await import('./days-chart.tsx')).DaysChart)

/** What the agents used and cost: day by day, and by whatever one wants to know it of. */
export function LedgerPage() {
  const search = route.useSearch()
  const { by = 'goal', days = DEFAULT_SPAN, show = 'cost', project } = search
  // the day, not the moment: the query stays the same while it lasts
  const today = dayOf(new Date())
  const filter = useMemo(
    () => ({
      ...(days > 0 && { from: daysAgo(days, new Date(`${today}T12:00:00`)).toISOString() }),
      ...(project && { project }),
    }),
    [days, project, today],
  )
  const perDay = useQuery(ledgerDaysQuery(filter))
  const groups = useInfiniteQuery(ledgerQuery({ ...filter, by, order: show }))
  const rows = groups.data?.pages.flatMap(({ items }) => items) ?? []
  const total = groups.data?.pages[0]?.total
  // what was read before stays: it is read again by itself
  const error = (groups.data ? null : groups.error) ?? (perDay.data ? null : perDay.error)
  return (
    <>
      <PageHeader crumbs={[{ label: 'Ledger' }]} />
      <div className="min-h-0 flex-1 overflow-y-auto pb-8">
        <Filters search={search} />
        {error && (
          <ErrorState
            error={error}
            onRetry={() => void Promise.all([groups.refetch(), perDay.refetch()])}
          />
        )}
        {!error && !total && <SkeletonRows label="Reading the ledger" />}
        {total?.runs === 0 && <NoRuns search={search} />}
        {total && total.runs > 0 && (
          <>
            <Sums total={total} />
            <section aria-label="Day by day" className="px-4 pb-4">
              <Suspense fallback={<Skeleton className="h-60 w-full" />}>
                {perDay.data && (
                  <DaysChart bars={dayBars(perDay.data.items, days, today)} show={show} />
                )}
              </Suspense>
            </section>
            <LedgerTable {...{ by, total, rows }} />
            {groups.hasNextPage && (
              <div className="px-4 pt-3">
                <Button tone="ghost" onClick={() => void groups.fetchNextPage()}>
                  Show more
                </Button>
              </div>
            )}
          </>
        )}
      </div>
    </>
  )
}

function Sums({ total }: { total: LedgerUsage }) {
  const saved = total.cacheSavedUsd
  return (
    <div className="px-4 py-4">
      <dl className="flex flex-wrap gap-x-10 gap-y-3 [&_dd]:text-20 [&_dd]:font-medium [&_dt]:text-12 [&_dt]:text-fg-3">
        <div>
          <dt>Cost</dt>
          <dd className="figure">{formatUsageCost(total)}</dd>
        </div>
        <div>
          <dt>Tokens</dt>
          <dd className="figure">{formatUsedTokens(total)}</dd>
        </div>
        <div>
          <dt>Runs</dt>
          <dd className="figure">{total.runs}</dd>
        </div>
        <div>
          <dt>From cache</dt>
          <dd>
            <CacheHits usage={total} />
          </dd>
        </div>
        <div>
          <dt>Saved by the cache, about</dt>
          <dd className="figure">{saved === null ? 'unknown' : money(saved)}</dd>
        </div>
      </dl>
      {costNote(total) && <p className="pt-2 text-12 text-fg-2">{costNote(total)}</p>}
    </div>
  )
}

/** Writing a cache can cost more than it saves. */
const money = (usd: number) => (usd < 0 ? `−${formatCost(-usd)}` : formatCost(usd))

const ALL = '*'
const PERIODS = SPANS.map((days) => ({
  value: String(days),
  label: days === 0 ? 'All time' : `Last ${plural(days, 'day')}`,
}))
const MEASURES: readonly { value: LedgerOrder; label: string }[] = [
  { value: 'cost', label: 'Cost' },
  { value: 'tokens', label: 'Tokens' },
]
const SMALL = 'h-6 border-transparent bg-transparent text-12 shadow-none'

function Filters({ search }: { search: LedgerSearch }) {
  const navigate = useNavigate({ from: '/ledger' })
  const projects = useQuery(projectsQuery()).data?.items ?? []
  const change = (next: { [K in keyof LedgerSearch]?: LedgerSearch[K] | undefined }) =>
    void navigate({ search: (before) => ({ ...before, ...next }) as LedgerSearch, replace: true })
  const show = search.show ?? 'cost'
  return (
    <div className="flex min-h-10 flex-wrap items-center gap-1 border-b px-3 py-1 touch:min-h-12">
      <fieldset className="flex gap-0.5" aria-label="Show">
        {MEASURES.map(({ value, label }) => (
          <button
            key={value}
            type="button"
            aria-pressed={show === value}
            onClick={() => change({ show: value })}
            className="h-6 rounded-md px-2 text-12 text-fg-2 hover:bg-hover hover:text-fg aria-pressed:bg-active aria-pressed:font-medium aria-pressed:text-fg touch:h-9"
          >
            {label}
          </button>
        ))}
      </fieldset>
      <span className="ml-auto flex min-w-0 flex-wrap items-center gap-1">
        <Select
          label="Group by"
          className={SMALL}
          value={search.by ?? 'goal'}
          onChange={(by) => change({ by: by as LedgerGroup })}
          options={LEDGER_GROUPS.map((by) => ({
            value: by,
            label: `By ${GROUP_NAMES[by].toLowerCase()}`,
          }))}
        />
        {projects.length > 1 && (
          <Select
            label="Project"
            className={SMALL}
            value={search.project ?? ALL}
            onChange={(project) => change({ project: project === ALL ? undefined : project })}
            options={[
              { value: ALL, label: 'All projects' },
              ...projects.map(({ shortId, name }) => ({ value: shortId, label: name })),
            ]}
          />
        )}
        <Select
          label="Period"
          className={SMALL}
          value={String(search.days ?? DEFAULT_SPAN)}
          onChange={(days) => change({ days: Number(days) as LedgerSearch['days'] })}
          options={PERIODS}
        />
      </span>
    </div>
  )
}

function NoRuns({ search }: { search: LedgerSearch }) {
  const navigate = useNavigate({ from: '/ledger' })
  const narrowed = search.project !== undefined || (search.days ?? DEFAULT_SPAN) !== 0
  return (
    <EmptyState
      icon={ChartNoAxesColumn}
      title={narrowed ? 'No agent has run in this time' : 'No agent has run yet'}
      detail="What agents use and cost is written down here as they work, run by run."
    >
      {narrowed && (
        <Button onClick={() => void navigate({ search: { days: 0 } })}>Show all time</Button>
      )}
    </EmptyState>
  )
}

import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { Bot, ListFilter, SearchX } from 'lucide-react'
import { type ReactNode, useMemo, useRef } from 'react'
import { useAction } from '../../app/actions/registry.ts'
import { adaptersQuery, agentsQuery, overAgentsQuery, poolQuery } from '../../app/queries.ts'
import { useFocusPanel } from '../../app/shell/focus-panel-state.ts'
import { hasOwnKeys, useListKeys } from '../../app/use-list-keys.ts'
import { Button } from '../../components/button.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { Select } from '../../components/select.tsx'
import { EmptyState, ErrorState, SkeletonRows } from '../../components/states.tsx'
import { cn } from '../../lib/cn.ts'
import { useEchoed } from '../../lib/use-echoed.ts'
import { LONGEST_WORDS } from '../goals/goals-search.ts'
import { PoolPanel } from '../pool/pool-panel.tsx'
import { SuggestionList } from '../suggestions/suggestion-list.tsx'
import { type AgentGroups, groupAgents } from './agent-groups.ts'
import { AgentRow, WaitingRow } from './agent-row.tsx'
import type { AgentsSearch } from './agents-search.ts'

const route = getRouteApi('/agents')

/** Who runs what, what waits in line and why, and what is over; beside it the pool. */
export function AgentsPage() {
  const search = route.useSearch()
  const { panel } = useFocusPanel()
  const live = useQuery(agentsQuery({ state: 'live', limit: 200 }))
  const pool = useQuery(poolQuery())
  const filter = {
    ...(search.adapter && { adapter: search.adapter }),
    ...(search.goal && { goal: search.goal }),
    ...(search.q && { words: search.q }),
  }
  const over = useInfiniteQuery(overAgentsQuery(filter))
  const groups = useMemo(
    () =>
      groupAgents(
        {
          live: live.data?.items ?? [],
          waiting: pool.data?.waiting ?? [],
          over: over.data?.pages.flatMap(({ items }) => items) ?? [],
        },
        search,
      ),
    [live.data, pool.data, over.data, search],
  )
  const error = live.error ?? over.error ?? pool.error
  const pending = live.isPending || over.isPending || pool.isPending
  return (
    <>
      <PageHeader crumbs={[{ label: 'Agents' }]} />
      <div className="flex min-h-0 flex-1 max-lg:flex-col max-lg:overflow-y-auto">
        <section
          aria-label="Runs"
          className="flex min-w-0 flex-1 flex-col max-lg:order-2 max-lg:flex-none"
        >
          <Filters search={search} />
          <SuggestionList />
          {pending ? (
            error ? (
              <ErrorState
                error={error}
                onRetry={() => void Promise.all([live.refetch(), over.refetch(), pool.refetch()])}
              />
            ) : (
              <SkeletonRows label="Loading agents" />
            )
          ) : (
            <Groups
              groups={groups}
              search={search}
              settled={!over.isPlaceholderData}
              more={over.hasNextPage && (search.show === undefined || search.show === 'over')}
              onMore={() => void over.fetchNextPage()}
            />
          )}
        </section>
        {pool.data && panel === undefined && (
          <aside
            aria-label="Pool"
            className="w-[300px] shrink-0 overflow-y-auto border-l max-lg:order-1 max-lg:w-auto max-lg:overflow-visible max-lg:border-b max-lg:border-l-0"
          >
            <PoolPanel pool={pool.data} />
          </aside>
        )}
      </div>
    </>
  )
}

const SHOWS = [
  [undefined, 'All'],
  ['running', 'Running'],
  ['waiting', 'In line'],
  ['over', 'Recent'],
] as const
const ANY = '*'

function Filters({ search }: { search: AgentsSearch }) {
  const navigate = useNavigate({ from: '/agents' })
  const { data: adapters } = useQuery(adaptersQuery())
  const input = useRef<HTMLInputElement>(null)
  const change = (next: { [K in keyof AgentsSearch]?: AgentsSearch[K] | undefined }) =>
    void navigate({ search: (before) => ({ ...before, ...next }) as AgentsSearch, replace: true })
  const [words, setWords] = useEchoed(search.q ?? '', (text) => change({ q: text || undefined }))
  useAction({
    id: 'agents.filter',
    title: 'Filter agents',
    scope: 'Agents',
    keys: '/',
    icon: ListFilter,
    run: () => input.current?.focus(),
  })
  return (
    <div className="flex h-10 shrink-0 items-center gap-1 border-b px-3 touch:h-12">
      <fieldset className="flex gap-0.5" aria-label="Show">
        {SHOWS.map(([show, label]) => (
          <button
            key={label}
            type="button"
            aria-pressed={search.show === show}
            onClick={() => change({ show })}
            className="h-6 rounded-md px-2 text-12 text-fg-2 hover:bg-hover hover:text-fg aria-pressed:bg-active aria-pressed:font-medium aria-pressed:text-fg touch:h-9"
          >
            {label}
          </button>
        ))}
      </fieldset>
      <span className="ml-auto flex min-w-0 items-center gap-1">
        {search.goal && (
          <Button size="sm" tone="ghost" onClick={() => change({ goal: undefined })}>
            Only {search.goal} ×
          </Button>
        )}
        {adapters && adapters.items.length > 1 && (
          <Select
            label="Agent"
            className={cn(
              'h-6 min-w-0 border-transparent bg-transparent text-12 shadow-none',
              search.adapter === undefined && 'max-md:hidden',
            )}
            value={search.adapter ?? ANY}
            onChange={(value) => change({ adapter: value === ANY ? undefined : value })}
            options={[
              { value: ANY, label: 'Any agent' },
              ...adapters.items.map(({ adapter, title }) => ({ value: adapter, label: title })),
            ]}
          />
        )}
        <input
          ref={input}
          type="search"
          aria-label="Filter by words"
          placeholder="Filter"
          dir="auto"
          maxLength={LONGEST_WORDS}
          value={words}
          onChange={(event) => setWords(event.target.value)}
          className="h-6 w-20 min-w-0 rounded-md bg-transparent px-2 text-12 outline-none focus:w-48 focus:bg-hover md:w-32 touch:text-16"
        />
      </span>
    </div>
  )
}

function Groups(props: {
  groups: AgentGroups
  search: AgentsSearch
  /** It is all that was asked for, so none means none. */
  settled: boolean
  more: boolean
  onMore: () => void
}) {
  const { running, waiting, over } = props.groups
  const navigate = useNavigate({ from: '/agents' })
  const { open } = useFocusPanel()
  const runs = [...running, ...over]
  const { selected, select, listProps } = useListKeys({
    scope: 'Agents',
    ids: runs.map(({ shortId }) => shortId),
    onOpen: (id) => void navigate({ to: '/agents/$id', params: { id } }),
  })
  useAction({
    id: 'agents.peek',
    title: 'Peek',
    scope: 'Agents',
    keys: 'Space',
    onlyKeys: true,
    enabledWhen: () => selected !== undefined && !hasOwnKeys('button, summary'),
    run: () => selected !== undefined && open(selected),
  })
  if (runs.length + waiting.length === 0) return props.settled && <NoAgents search={props.search} />
  const row = (run: (typeof runs)[number]) => (
    <AgentRow
      key={run.id}
      run={run}
      selected={run.shortId === selected}
      onPoint={() => select(run.shortId)}
    />
  )
  return (
    <div className="min-h-0 flex-1 overflow-y-auto pb-6 max-lg:overflow-visible" {...listProps}>
      <Group title="Running" count={running.length}>
        {running.map(row)}
      </Group>
      <Group title="In line" count={waiting.length}>
        {waiting.map((one) => (
          <WaitingRow key={one.id} waiting={one} />
        ))}
      </Group>
      <Group title="Recent" count={over.length} more={props.more}>
        {over.map(row)}
      </Group>
      {props.more && (
        <div className="px-4 pt-3">
          <Button tone="ghost" onClick={props.onMore}>
            Show older runs
          </Button>
        </div>
      )}
    </div>
  )
}

function Group(props: { title: string; count: number; more?: boolean; children: ReactNode }) {
  if (props.count === 0) return null
  return (
    <section aria-label={props.title}>
      <h2 className="sticky top-0 z-10 flex h-8 items-center gap-2 bg-sunken px-4 text-12 font-medium text-fg-2">
        {props.title}
        <span className="figure font-normal text-fg-3">
          {props.count}
          {props.more && '+'}
        </span>
      </h2>
      <ul>{props.children}</ul>
    </section>
  )
}

function NoAgents({ search }: { search: AgentsSearch }) {
  const navigate = useNavigate({ from: '/agents' })
  const filtered = search.q ?? search.adapter ?? search.goal
  if (filtered !== undefined || search.show !== undefined)
    return (
      <EmptyState
        icon={SearchX}
        title={
          filtered !== undefined
            ? 'No agent matches'
            : search.show === 'running'
              ? 'No agent is at work'
              : search.show === 'waiting'
                ? 'Nothing waits in line'
                : 'No run is over yet'
        }
        detail={
          filtered !== undefined
            ? 'Another word, or all agents, may show more.'
            : 'Agents start by themselves when a goal needs one.'
        }
      >
        <Button onClick={() => void navigate({ search: {} })}>Show all agents</Button>
      </EmptyState>
    )
  return (
    <EmptyState
      icon={Bot}
      title="No agent has run yet"
      detail="Each stage of a goal starts one; they appear here as they do."
    />
  )
}

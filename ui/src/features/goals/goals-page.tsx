import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { getRouteApi, useNavigate } from '@tanstack/react-router'
import { CircleDot, FolderGit2, ListFilter, Plus, SearchX } from 'lucide-react'
import { useMemo, useRef } from 'react'
import { useAction } from '../../app/actions/registry.ts'
import { openGoalsQuery, overGoalsQuery, overviewQuery } from '../../app/queries.ts'
import { openNewGoal } from '../../app/ui-state.ts'
import { useListKeys } from '../../app/use-list-keys.ts'
import { Button } from '../../components/button.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { EmptyState, ErrorState, SkeletonRows } from '../../components/states.tsx'
import { cn } from '../../lib/cn.ts'
import { useEchoed } from '../../lib/use-echoed.ts'
import { useFirstOpen } from '../welcome/use-first-open.ts'
import { type GoalGroup, groupGoals } from './goal-groups.ts'
import { GoalRow } from './goal-row.tsx'
import { type GoalsSearch, LONGEST_WORDS } from './goals-search.ts'

const route = getRouteApi('/')

/** What waits for the person, what runs, what is done. */
export function GoalsPage() {
  useFirstOpen()
  const search = route.useSearch()
  const open = useQuery(openGoalsQuery(search.project))
  const over = useInfiniteQuery(overGoalsQuery(search.project, search.q))
  const groups = useMemo(
    () =>
      groupGoals(
        open.data?.items ?? [],
        over.data?.pages.flatMap(({ items }) => items) ?? [],
        search,
      ),
    [open.data, over.data, search],
  )
  const error = open.error ?? over.error
  return (
    <>
      <GoalsHeader search={search} />
      <Filters search={search} />
      {open.isPending || over.isPending ? (
        error ? (
          <ErrorState
            error={error}
            onRetry={() => void Promise.all([open.refetch(), over.refetch()])}
          />
        ) : (
          <SkeletonRows label="Loading goals" />
        )
      ) : groups.length === 0 ? (
        over.isPlaceholderData || <NoGoals search={search} />
      ) : (
        <GoalList
          groups={groups}
          more={over.hasNextPage && (search.show === undefined || search.show === 'done')}
          onMore={() => void over.fetchNextPage()}
        />
      )}
    </>
  )
}

function GoalsHeader({ search }: { search: GoalsSearch }) {
  const { data } = useQuery(overviewQuery())
  const project = data?.projects.find(({ shortId }) => shortId === search.project)
  return (
    <PageHeader
      crumbs={
        project ? [{ label: 'Goals', to: '/' }, { label: project.name }] : [{ label: 'Goals' }]
      }
    >
      <Button tone="primary" icon={Plus} keys="c" onClick={() => openNewGoal()}>
        New goal
      </Button>
    </PageHeader>
  )
}

const SHOWS = [
  [undefined, 'All'],
  ['waiting', 'Needs you'],
  ['running', 'Running'],
  ['paused', 'Paused'],
  ['done', 'Done'],
] as const

function Filters({ search }: { search: GoalsSearch }) {
  const navigate = useNavigate({ from: '/' })
  const input = useRef<HTMLInputElement>(null)
  const change = (next: { show?: GoalsSearch['show'] | undefined; q?: string | undefined }) =>
    void navigate({ search: (before) => ({ ...before, ...next }) as GoalsSearch, replace: true })
  const [words, setWords] = useEchoed(search.q ?? '', (text) => change({ q: text || undefined }))
  useAction({
    id: 'goals.filter',
    title: 'Filter goals',
    scope: 'Goals',
    keys: '/',
    icon: ListFilter,
    run: () => input.current?.focus(),
  })
  return (
    <div className="flex min-h-10 shrink-0 items-center gap-1 border-b px-3 max-[350px]:flex-wrap max-[350px]:py-0.5">
      <fieldset className="flex gap-0.5" aria-label="Show">
        {SHOWS.map(([show, label]) => (
          <button
            key={label}
            type="button"
            aria-pressed={search.show === show}
            onClick={() => change({ show })}
            className="h-6 rounded-md px-2 text-12 whitespace-nowrap text-fg-2 hover:bg-hover hover:text-fg aria-pressed:bg-active aria-pressed:font-medium aria-pressed:text-fg touch:h-9"
          >
            {label}
          </button>
        ))}
      </fieldset>
      <input
        ref={input}
        type="search"
        aria-label="Filter by title"
        placeholder="Filter"
        dir="auto"
        maxLength={LONGEST_WORDS}
        value={words}
        onChange={(event) => setWords(event.target.value)}
        className="ml-auto h-6 w-20 min-w-0 rounded-md bg-transparent px-1 text-12 outline-none hover:bg-hover focus:w-56 focus:bg-hover max-[350px]:w-full md:w-36 md:px-2 touch:text-16"
      />
    </div>
  )
}

function GoalList(props: { groups: readonly GoalGroup[]; more: boolean; onMore: () => void }) {
  const navigate = useNavigate()
  const goals = props.groups.flatMap((group) => group.goals)
  const { selected, select, listProps } = useListKeys({
    scope: 'Goals',
    ids: goals.map(({ shortId }) => shortId),
    onOpen: (id) => void navigate({ to: '/goals/$id', params: { id } }),
  })
  return (
    <div className="min-h-0 flex-1 overflow-y-auto pb-6" {...listProps}>
      {props.groups.map((group) => (
        <section key={group.key} aria-labelledby={`group-${group.key}`}>
          <h2
            id={`group-${group.key}`}
            className={cn(
              'sticky top-0 z-10 flex h-8 items-center gap-2 bg-sunken px-4 text-12 font-medium',
              group.key === 'waiting' ? 'text-warn' : 'text-fg-2',
            )}
          >
            {group.title}
            <span className="font-normal text-fg-3">
              {group.goals.length}
              {group.key === 'done' && props.more && '+'}
            </span>
          </h2>
          <ul>
            {group.goals.map((goal) => (
              <GoalRow
                key={goal.id}
                goal={goal}
                selected={goal.shortId === selected}
                onPoint={() => select(goal.shortId)}
              />
            ))}
          </ul>
        </section>
      ))}
      {props.more && (
        <div className="px-4 pt-3">
          <Button tone="ghost" onClick={props.onMore}>
            Show older goals
          </Button>
        </div>
      )}
    </div>
  )
}

function NoGoals({ search }: { search: GoalsSearch }) {
  const { data } = useQuery(overviewQuery())
  const navigate = useNavigate({ from: '/' })
  const { project } = search
  const known = data?.projects.some(({ shortId }) => shortId === project)
  if (data && project !== undefined && !known)
    return (
      <EmptyState
        icon={SearchX}
        title={`There is no project ${project}`}
        detail="It was removed, or the link is not of this server."
      >
        <Button onClick={() => void navigate({ search: {} })}>Show all goals</Button>
      </EmptyState>
    )
  if (search.q !== undefined || search.show !== undefined)
    return (
      <EmptyState
        icon={SearchX}
        title={search.show === 'waiting' ? 'Nothing waits for you' : 'No goal matches'}
        detail={
          search.show === 'waiting'
            ? 'Goals that need a review or an answer appear here, and in the sidebar.'
            : 'Another word, or all goals, may show more.'
        }
      >
        <Button onClick={() => void navigate({ search: project ? { project } : {} })}>
          Show all goals
        </Button>
      </EmptyState>
    )
  if (data?.projects.length === 0)
    return (
      <EmptyState
        icon={FolderGit2}
        title="Add your first project"
        detail="A project is a git repository on this machine. Agents work in copies of it; nothing is merged that you did not approve."
      >
        <Button tone="primary" onClick={() => void navigate({ to: '/welcome' })}>
          Set up Dispatch
        </Button>
      </EmptyState>
    )
  return (
    <EmptyState
      icon={CircleDot}
      title="No goals yet"
      detail="Say what should exist. Dispatch writes a spec for you to approve, then drives agents through code, tests and review to the merge."
    >
      <Button tone="primary" icon={Plus} keys="c" onClick={() => openNewGoal()}>
        New goal
      </Button>
    </EmptyState>
  )
}

import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { Query, Reply } from '../../../contracts/api.ts'
import type { LedgerGroup, LedgerOrder } from '../../../contracts/ledger.ts'
import type { GoalSummary, TranscriptEntry } from '../../../contracts/schemas.ts'
import { call } from './api.ts'
import { whenLive } from './live.ts'
import { againAfterFault, type Reading } from './query-client.ts'

/**
 * Everything the page reads. Keys begin with the entity, because `live-rules.ts` refreshes by that; a query begins
 * when the feed is followed, so no change falls between the two. Use with `useQuery(goalQuery(id))`.
 */
const read =
  <T>(work: () => Promise<T>): (() => Promise<T>) =>
  async () => {
    await whenLive()
    return work()
  }

/** The whole of a list, page after page: what waits for a person does not end with a page. */
async function whole<T>(
  page: (at: { limit: number; cursor?: string }) => Promise<{ items: T[]; next: string | null }>,
): Promise<{ items: T[] }> {
  const items: T[] = []
  for (let cursor: string | undefined; ; ) {
    const read = await page({ limit: 200, ...(cursor && { cursor }) })
    items.push(...read.items)
    if (read.next === null) return { items }
    cursor = read.next
  }
}

/** Midnight of the reader: usage of today counts from here. */
const midnight = () => new Date(new Date().setHours(0, 0, 0, 0)).toISOString()

/** No event tells that a day is over; a machine that sleeps through its end hears of it within the hour. */
const HOUR_MS = 3_600_000
const untilMidnight = () => new Date().setHours(24, 0, 0, 0) - Date.now()

export const overviewQuery = () =>
  queryOptions({
    queryKey: ['overview'],
    queryFn: read(() => call('getOverview', { query: { since: midnight() } })),
    refetchInterval: (query: Reading<unknown>) =>
      againAfterFault(query) || Math.min(HOUR_MS, untilMidnight()),
    refetchIntervalInBackground: true,
  })

/** What nobody works at and nobody is asked about waits for something of which no event tells: Temporal takes nothing, say. */
const STILL_MS = 10_000
type Standing = Pick<GoalSummary, 'status' | 'working' | 'pendingReviews'>
export const standsStill = ({ status, working, pendingReviews }: Standing): boolean =>
  status === 'active' && working.length === 0 && pendingReviews === 0
const againWhile =
  <T>(stands: (data: T) => boolean) =>
  (query: Reading<T>): number | false =>
    againAfterFault(query) || (query.state.data && stands(query.state.data) ? STILL_MS : false)

export const openGoalsQuery = (project?: string) =>
  queryOptions({
    queryKey: ['goals', 'open', project ?? null],
    queryFn: read(() =>
      whole((at) =>
        call('listGoals', { query: { state: 'open', ...at, ...(project && { project }) } }),
      ),
    ),
    refetchInterval: againWhile<{ items: GoalSummary[] }>(({ items }) => items.some(standsStill)),
  })

/** Goals that are over and have these words, newest first, a page at a time. */
export const overGoalsQuery = (project?: string, words = '') =>
  infiniteQueryOptions({
    queryKey: ['goals', 'over', project ?? null, words],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam }): Promise<Reply<'listGoals'>> => {
      await whenLive()
      const cursor = pageParam === undefined ? {} : { cursor: pageParam }
      const of = { ...(project && { project }), ...(words && { words }) }
      return call('listGoals', { query: { state: 'over', limit: 30, ...of, ...cursor } })
    },
    getNextPageParam: (page) => page.next ?? undefined,
    // with another letter those stay that are there until the others are
    placeholderData: (shown, before) =>
      before?.queryKey[2] === (project ?? null) ? shown : undefined,
  })

export const goalQuery = (id: string) =>
  queryOptions({
    queryKey: ['goal', id],
    queryFn: read(() => call('getGoal', { params: { id } })),
    refetchInterval: againWhile<Reply<'getGoal'>>(standsStill),
  })

export const taskQuery = (id: string) =>
  queryOptions({
    queryKey: ['task', id],
    queryFn: read(() => call('getTask', { params: { id } })),
  })

/** Reviews that wait, the oldest first. */
export const pendingReviewsQuery = () =>
  queryOptions({
    queryKey: ['reviews', 'pending'],
    queryFn: read(() =>
      whole((at) => call('listReviews', { query: { status: 'pending', ...at } })),
    ),
  })

export const reviewQuery = (id: string) =>
  queryOptions({
    queryKey: ['review', id],
    queryFn: read(() => call('getReview', { params: { id } })),
  })

/** What a review is about, file by file. Read again only when it is another review: its range does not move. */
export const reviewDiffQuery = (id: string, query: NonNullable<Query<'getReviewDiff'>>) =>
  queryOptions({
    queryKey: ['review-diff', id, query],
    queryFn: read(() => call('getReviewDiff', { params: { id }, query })),
  })

export const agentsQuery = (filter: Query<'listAgents'> = {}) =>
  queryOptions({
    queryKey: ['agents', filter],
    queryFn: read(() => call('listAgents', { query: { limit: 100, ...filter } })),
  })

/** Runs that are over and have these words, newest first, a page at a time. */
export const overAgentsQuery = (
  filter: Pick<NonNullable<Query<'listAgents'>>, 'adapter' | 'goal' | 'words'>,
) =>
  infiniteQueryOptions({
    queryKey: ['agents', 'over', filter] as const,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam }): Promise<Reply<'listAgents'>> => {
      await whenLive()
      const cursor = pageParam === undefined ? {} : { cursor: pageParam }
      const query = { ...filter, ...cursor, state: 'over' as const, limit: 50 }
      return call('listAgents', { query })
    },
    getNextPageParam: (page) => page.next ?? undefined,
    // with another letter those stay that are there until the others are
    placeholderData: (shown, before) => {
      const { adapter, goal } = before?.queryKey[2] ?? {}
      return adapter === filter.adapter && goal === filter.goal ? shown : undefined
    },
  })

export const agentQuery = (id: string) =>
  queryOptions({
    queryKey: ['agent', id],
    queryFn: read(() => call('getAgent', { params: { id } })),
  })

/** All entries of one kind that a run's transcript has by now; those that come are followed. Not kept: there may be many. */
export const entriesQuery = (id: string, kind: TranscriptEntry['kind']) =>
  queryOptions({
    queryKey: ['transcript', id, kind],
    gcTime: 0,
    queryFn: read(async () => {
      const all: TranscriptEntry[] = []
      for (let after = 0; ; ) {
        const query = { kind, after, limit: 1_000 }
        const { items, next } = await call('getTranscript', { params: { id }, query })
        all.push(...items)
        if (next === null) return all
        after = Number(next)
      }
    }),
  })

/** Corrections alike that wait for an answer, of one project or of all. */
export const suggestionsQuery = (project?: string) =>
  queryOptions({
    queryKey: ['suggestions', project ?? null],
    queryFn: read(() =>
      whole((at) => call('listSuggestions', { query: { ...at, ...(project && { project }) } })),
    ),
  })

export const poolQuery = () =>
  queryOptions({ queryKey: ['pool'], queryFn: read(() => call('getPool')) })

export const projectsQuery = () =>
  queryOptions({
    queryKey: ['projects'],
    queryFn: read(() => whole((at) => call('listProjects', { query: at }))),
  })

/** Checkouts on the server's machine that are not projects yet. */
export const suggestedProjectsQuery = () =>
  queryOptions({
    queryKey: ['projects', 'suggested'],
    queryFn: read(() => call('suggestProjects')),
  })

export const profilesQuery = () =>
  queryOptions({ queryKey: ['profiles'], queryFn: read(() => call('listProfiles')) })

export const settingsQuery = () =>
  queryOptions({ queryKey: ['settings'], queryFn: read(() => call('getSettings')) })

export const adaptersQuery = () =>
  queryOptions({ queryKey: ['adapters'], queryFn: read(() => call('listAdapters')) })

/** Where days begin: the reader's time zone. */
const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone

type LedgerFilter = Pick<NonNullable<Query<'getLedger'>>, 'from' | 'project'>

/** Tokens and cost of each day, the newest first. */
export const ledgerDaysQuery = (filter: LedgerFilter) =>
  queryOptions({
    queryKey: ['ledger', 'days', filter],
    queryFn: read(() =>
      call('getLedger', { query: { ...filter, by: 'day', zone: zone(), limit: 200 } }),
    ),
  })

/** Tokens and cost by any group, the most first, a page at a time. */
export const ledgerQuery = (filter: LedgerFilter & { by: LedgerGroup; order: LedgerOrder }) =>
  infiniteQueryOptions({
    queryKey: ['ledger', 'groups', filter] as const,
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam }): Promise<Reply<'getLedger'>> => {
      await whenLive()
      const cursor = pageParam === undefined ? {} : { cursor: pageParam }
      return call('getLedger', { query: { ...filter, zone: zone(), limit: 50, ...cursor } })
    },
    getNextPageParam: (page) => page.next ?? undefined,
    // in another order the same rows stay until they have changed places; other rows, or those of another time, do not
    placeholderData: (shown, before) => {
      const { by, from, project } = before?.queryKey[2] ?? {}
      return by === filter.by && from === filter.from && project === filter.project
        ? shown
        : undefined
    },
  })

/** A list with the server's answer in the place of what it answered about: the next change starts from that, before it is read again. */
export const withAnswer =
  <T extends { id: string }>(answer: T) =>
  <L extends { items: T[] }>(list: L | undefined): L | undefined =>
    list && { ...list, items: list.items.map((one) => (one.id === answer.id ? answer : one)) }

import { type Query, QueryClient } from '@tanstack/react-query'
import { ProblemError } from '../../../client/caller.ts'

/** Between two looks at what is shown and could not be read again, in ms. */
const AGAIN_MS = 5_000

/** The server, or something behind it, was away: asked again it may answer. A refusal is an answer. */
const isPassing = (error: Error): boolean =>
  !(error instanceof ProblemError && error.problem.status < 500)

/** As much of a query as tells how its last read went. */
export interface Reading<T> {
  state: { data: T | undefined; error: Error | null }
}

/** When to look again at what is shown and could not be read; one that was never read says so instead, with a button. */
export const againAfterFault = ({ state: { data, error } }: Reading<unknown>): number | false =>
  data !== undefined && error !== null && isPassing(error) ? AGAIN_MS : false

/**
 * The feed says what changed, so nothing gets stale by time; what an event made stale is read until it can be, because no
 * other event may come. The server may be this very machine, so nothing depends on there being a network.
 */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: 'always',
      staleTime: Number.POSITIVE_INFINITY,
      refetchOnWindowFocus: false,
      refetchInterval: againAfterFault,
      retry: (failures, error) => isPassing(error) && failures < 3,
    },
    mutations: { networkMode: 'always', retry: false },
  },
})

/**
 * Reads again what is meant and shown; resolves when it was read. A first read that is under way may have looked before the change,
 * and is not begun anew by TanStack (there is nothing to cancel it for): it is followed by another one, which nobody waits for.
 */
export function readAgain(isMeant: (query: Query) => boolean = () => true): Promise<void> {
  for (const query of queryClient.getQueryCache().getAll()) {
    if (!isMeant(query) || query.state.data !== undefined) continue
    const again = () =>
      void queryClient.invalidateQueries({ queryKey: query.queryKey, exact: true })
    if (query.state.fetchStatus === 'fetching') query.promise?.then(again, again)
  }
  return queryClient.invalidateQueries({ predicate: isMeant })
}

import { QueryClient } from '@tanstack/react-query'
import { ProblemError } from '../../../client/caller.ts'

/** A server that answered is not asked again by itself; one that did not, a few times. */
const retry = (failures: number, error: Error) => !(error instanceof ProblemError) && failures < 3

/** The feed says what changed, so nothing gets stale by time. */
export const queryClient = new QueryClient({
  defaultOptions: {
    queries: { staleTime: Number.POSITIVE_INFINITY, refetchOnWindowFocus: false, retry },
    mutations: { retry: false },
  },
})

import { useEffect, useState } from 'react'
import { createBrowserClient, subscribeInBrowser } from '../../client/browser.ts'
import type { Client } from '../../client/caller.ts'
import type { ConnectionState } from '../../client/live-stream.ts'
import type { Goal, PoolState, ReviewSummary } from '../../contracts/schemas.ts'

export interface Status {
  goals: Goal[]
  reviews: ReviewSummary[]
  pool: PoolState
}

/** Goals shown with their stages; the rest is a `dispatch goals` away. */
const SHOWN = 12

async function readStatus(client: Client): Promise<Status> {
  const [goals, reviews, pool] = await Promise.all([
    client.call('listGoals', { query: { limit: SHOWN } }),
    client.call('listReviews', { query: { status: 'pending', limit: 50 } }),
    client.call('getPool'),
  ])
  const details = goals.items.map(({ id }) => client.call('getGoal', { params: { id } }))
  return { goals: await Promise.all(details), reviews: reviews.items, pool }
}

/** The state of Dispatch, read again whenever the feed says that something happened. */
export function useStatus(baseUrl: string): {
  status: Status | undefined
  connection: ConnectionState
  problem: string | undefined
} {
  const [status, setStatus] = useState<Status>()
  const [connection, setConnection] = useState<ConnectionState>('connecting')
  const [problem, setProblem] = useState<string>()

  useEffect(() => {
    const ended = new AbortController()
    const client = createBrowserClient(baseUrl)
    const refresh = createRefresh(async () => {
      try {
        const fresh = await readStatus(client)
        if (ended.signal.aborted) return
        setStatus(fresh)
        setProblem(undefined)
      } catch (error) {
        setProblem((error as Error).message)
      }
    })
    void follow({ baseUrl, client, signal: ended.signal }, setConnection, refresh)
    return () => ended.abort()
  }, [baseUrl])

  return { status, connection, problem }
}

/** Runs `work` at most once at a time; asked meanwhile, once more afterwards. */
function createRefresh(work: () => Promise<void>): () => void {
  let busy = false
  let again = false
  const refresh = async () => {
    again = true
    if (busy) return
    busy = true
    while (again) {
      again = false
      await work()
    }
    busy = false
  }
  return () => void refresh()
}

async function follow(
  at: { baseUrl: string; client: Client; signal: AbortSignal },
  onState: (state: ConnectionState) => void,
  refresh: () => void,
): Promise<void> {
  refresh()
  const feed = subscribeInBrowser({
    ...{ baseUrl: at.baseUrl, signal: at.signal, stream: 'feed', after: await lastSeq(at.client) },
    onState(state) {
      onState(state)
      if (state === 'live') refresh() // whatever was missed while away
    },
  })
  for await (const _item of feed) refresh()
}

/** Where the feed ends now: the page needs only what comes after. */
async function lastSeq(client: Client): Promise<number> {
  const { items } = await client.call('listEvents', { query: { stream: 'feed', last: 1 } })
  return items[0]?.feedSeq ?? 0
}

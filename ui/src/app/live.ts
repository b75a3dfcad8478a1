import type { QueryState } from '@tanstack/react-query'
import { create } from 'zustand'
import { openLiveSocket } from '../../../client/browser.ts'
import type { LiveConnection } from '../../../client/live-socket.ts'
import type { StoredEvent } from '../../../contracts/events.ts'
import { FEED_STREAM } from '../../../contracts/ids.ts'
import { holdClock } from '../lib/clock.ts'
import { BASE_URL } from './api.ts'
import { type KeyPrefix, staleAfter } from './live-rules.ts'
import { readAgain } from './query-client.ts'

interface LiveStore {
  connection: LiveConnection
  /** The version that served this page, and the one that serves now; a difference asks for a reload. */
  version: string | undefined
  newVersion: string | undefined
  /** Times that the connection came back, for what wants to say so. */
  returns: number
}

/** How the page is connected. */
export const useLive = create<LiveStore>()(() => ({
  connection: { state: 'connecting' },
  version: undefined,
  newVersion: undefined,
  returns: 0,
}))

let settleFirst: () => void = () => undefined
const first = new Promise<void>((resolve) => {
  settleFirst = resolve
})
/** Reads wait for this at most; then they begin, and are made again once the feed is followed. */
const FIRST_MS = 2_000
let gaveUp = false
setTimeout(() => {
  gaveUp = true
  settleFirst()
}, FIRST_MS)

/** Resolves when the feed is followed: what is read from then on cannot miss a change. */
export const whenLive = (): Promise<void> => first

/** The one socket of the page. */
export const socket = openLiveSocket({
  baseUrl: BASE_URL,
  onConnection(connection) {
    const { connection: before, returns } = useLive.getState()
    const back = before.state === 'lost' && connection.state === 'live'
    holdClock(connection.state === 'lost' ? connection.since : undefined)
    useLive.setState({ connection, returns: returns + (back ? 1 : 0) })
    if (back) readWhatFailed()
  },
  onVersion(version) {
    const { version: before } = useLive.getState()
    if (before === undefined) useLive.setState({ version })
    else if (before !== version) useLive.setState({ newVersion: version })
  },
})

const stale = new Map<string, KeyPrefix>()
let flushing = false

/** Reads again what is stale and shown. Events that come meanwhile are gathered for the next round. */
async function flush(): Promise<void> {
  if (flushing) return
  flushing = true
  while (stale.size > 0) {
    const keys = [...stale.values()]
    stale.clear()
    await Promise.all(keys.map((queryKey) => refresh(queryKey)))
  }
  flushing = false
}

/** Queries that name a short id are found by their entity alone. */
function refresh([entity, id]: KeyPrefix): Promise<void> {
  return readAgain(({ queryKey, state }) => {
    if (queryKey[0] !== entity) return false
    const data = state.data as { id?: string } | undefined
    return id === undefined || queryKey[1] === id || data?.id === undefined || data.id === id
  })
}

function takeEvents(events: readonly StoredEvent[]): void {
  for (const event of events) for (const key of staleAfter(event)) stale.set(key.join('/'), key)
  void flush()
}

/** Reads again what was asked for without an answer: the feed brings the events that were missed, not those that came before. */
function readWhatFailed(): void {
  const failed = (state: QueryState) => state.isInvalidated || state.status === 'error'
  void readAgain(({ state }) => failed(state))
}

function followFeed(): void {
  let lives = 0
  socket.subscribe({
    stream: FEED_STREAM,
    after: 0,
    last: 0,
    onItems: (items) => takeEvents(items as unknown as StoredEvent[]),
    onLive() {
      lives += 1
      if (gaveUp && lives === 1) void readAgain() // what was read before might have missed a change
      settleFirst()
    },
    onRefused() {
      // the log ends before what we know of it: another database is behind the server now
      void readAgain()
      followFeed()
    },
  })
}
followFeed()

window.addEventListener('online', () => socket.retry())
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) socket.retry()
})

// a part of the page that is loaded late did not come: the server is away, or it was updated under the page
window.addEventListener('vite:preloadError', () => void lookForAnotherBuild())

/** The page of another build begins with another script. */
async function lookForAnotherBuild(): Promise<void> {
  const page = await fetch('/').then(
    (reply) => (reply.ok ? reply.text() : ''),
    () => '',
  )
  const begin = document.querySelector('script[type=module][src]')?.getAttribute('src')
  if (page === '' || !begin || page.includes(begin)) return
  useLive.setState(({ newVersion }) => ({ newVersion: newVersion ?? 'another version' }))
}

import { useCallback, useSyncExternalStore } from 'react'
import type { LiveItem } from '../../../client/live-socket.ts'
import { socket } from './live.ts'

/** Items of one stream, oldest first. `items` is the same array as long as nothing came. */
export interface LiveLog<T> {
  items: readonly T[]
  /** What was stored before is there. */
  live: boolean
  /** The server refused the stream: it does not exist. */
  refused: string | undefined
}

interface Shared {
  log: LiveLog<LiveItem>
  /** What is told of a change, and how many of the newest items it needs. */
  followers: Map<() => void, number>
  end: () => void
  idle: ReturnType<typeof setTimeout> | undefined
}

const EMPTY: LiveLog<never> = { items: [], live: false, refused: undefined }
/** Kept for so long after its last reader left: going back shows it at once. */
const KEEP_MS = 30_000
const shared = new Map<string, Shared>()

function open(stream: string, last: number): Shared {
  const one: Shared = { log: EMPTY, followers: new Map(), end: () => undefined, idle: undefined }
  let pending: LiveItem[] = []
  let frame = 0
  /** Without what no follower needs, now and then. */
  const newest = (items: LiveItem[]) => {
    const needed = one.followers.size === 0 ? items.length : Math.max(...one.followers.values())
    return items.length > 2 * needed ? items.slice(-needed) : items
  }
  const show = () => {
    frame = 0
    if (pending.length > 0) {
      one.log = { ...one.log, items: newest(one.log.items.concat(pending)) }
      pending = []
    }
    for (const listener of one.followers.keys()) listener()
  }
  // once a frame, however many came; a hidden page has no frames and shows it all when it is looked at
  const showSoon = () => {
    if (frame === 0) frame = requestAnimationFrame(show)
  }
  const unsubscribe = socket.subscribe({
    ...{ stream, after: 0, last },
    onItems(items) {
      pending.push(...items)
      pending = newest(pending)
      showSoon()
    },
    onLive() {
      if (one.log.live) return
      one.log = { ...one.log, live: true }
      showSoon()
    },
    onRefused(error) {
      one.log = { ...one.log, live: true, refused: error.message }
      showSoon()
    },
  })
  one.end = () => {
    cancelAnimationFrame(frame)
    unsubscribe()
  }
  shared.set(stream, one)
  return one
}

/**
 * Follows a stream outside of a component, sharing it with whoever else does. `end` when nobody needs it any more. Who needs no
 * more than the `newest` so many says so: a stream may be followed all day.
 */
export function followLog<T>(
  stream: string,
  last: number,
  onChange: () => void,
  newest = Number.POSITIVE_INFINITY,
): { read: () => LiveLog<T>; end: () => void } {
  const one = shared.get(stream) ?? open(stream, last)
  clearTimeout(one.idle)
  one.followers.set(onChange, newest)
  return {
    read: () => one.log as unknown as LiveLog<T>,
    end() {
      one.followers.delete(onChange)
      if (one.followers.size > 0) return
      one.idle = setTimeout(() => {
        one.end()
        shared.delete(stream)
      }, KEEP_MS)
    },
  }
}

/**
 * A stream as it grows: `goal/<id>` gives events, `run/<id>` a transcript. Begins with its newest `last` items; shown at
 * most once a frame and never through Query's cache. Undefined as stream follows nothing.
 */
export function useLiveLog<T>(
  stream: string | undefined,
  last: number,
  newest?: number,
): LiveLog<T> {
  const subscribe = useCallback(
    (listener: () => void) =>
      stream === undefined ? () => undefined : followLog(stream, last, listener, newest).end,
    [stream, last, newest],
  )
  const read = () => (stream === undefined ? EMPTY : (shared.get(stream)?.log ?? EMPTY))
  return useSyncExternalStore(subscribe, read) as unknown as LiveLog<T>
}

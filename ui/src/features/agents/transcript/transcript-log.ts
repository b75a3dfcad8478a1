import type { TranscriptEntry } from '../../../../../contracts/schemas.ts'
import { call } from '../../../app/api.ts'
import { followLog } from '../../../app/live-log.ts'
import { type Block, type Blocks, createBlocks } from './transcript-blocks.ts'

/** What is known of a run's transcript: its end, and as much before as was asked for. */
export interface TranscriptState {
  blocks: readonly Block[]
  appended: number
  /** seqs of the first and the last entry that is there; 0 when none is. */
  first: number
  last: number
  /** What was stored before the page opened is there. */
  live: boolean
  reading: boolean
  error: Error | undefined
}

export interface TranscriptLog {
  /** The same object until something changed. */
  read: () => TranscriptState
  subscribe: (listener: () => void) => () => void
  /** Reads the end, where that failed. */
  readEnd: () => Promise<void>
  /** Reads the page before the first entry; nothing when it is the first of all or a page is on its way. */
  readOlder: () => Promise<void>
  /** Reads everything before, page after page, until `signal` aborts. */
  readAll: (signal: AbortSignal) => Promise<void>
}

const NEWEST = 600
const PAGE = 1_000
/** Beyond any seq. */
const FAR = 2_000_000_000

/** A run's transcript: live at its end, older pages on request. Never through Query's cache. */
export function createTranscriptLog(runId: string): TranscriptLog {
  let blocks: Blocks = createBlocks()
  let state: TranscriptState = {
    ...{ blocks: [], appended: 0, first: 0, last: 0, live: false, reading: false },
    error: undefined,
  }
  const listeners = new Set<() => void>()
  let followed: ReturnType<typeof followLog<TranscriptEntry>> | undefined
  let taken = 0
  let older: Promise<void> | undefined

  function show(change: Partial<TranscriptState>): void {
    state = { ...state, blocks: blocks.list, appended: blocks.appended, ...change }
    for (const listener of listeners) listener()
  }

  function take(): void {
    const log = followed?.read()
    if (!log) return
    const fresh = log.items.slice(taken).filter(({ seq }) => seq > state.last)
    taken = log.items.length
    const [from] = fresh
    const end = fresh.at(-1)
    const { live } = log
    if (!from || !end) {
      if (live === state.live) return
      if (live && state.last === 0) void readEnd()
      else show({ live })
      return
    }
    if (state.last > 0 && from.seq > state.last + 1) {
      // it was not followed for a while, and more came than is replayed: begin again
      blocks = createBlocks()
      state = { ...state, first: 0 }
    }
    const changed = blocks.append(fresh)
    const first = state.first || from.seq
    if (changed || live !== state.live || first !== state.first)
      show({ live, first, last: end.seq })
    else state = { ...state, last: end.seq }
  }

  /** Whoever followed the stream before wanted only what comes: its end is read once. */
  async function readEnd(): Promise<void> {
    try {
      const query = { before: FAR, limit: NEWEST }
      const { items } = await call('getTranscript', { params: { id: runId }, query })
      const [from] = items
      const end = items.at(-1)
      if (state.last > 0 || !from || !end) return show({ live: true })
      blocks.append(items)
      show({ live: true, first: from.seq, last: end.seq, error: undefined })
      taken = 0
      take()
    } catch (error) {
      show({ live: true, error: error as Error })
    }
  }

  async function readPage(): Promise<void> {
    show({ reading: true, error: undefined })
    try {
      const query = { before: state.first, limit: PAGE }
      const { items } = await call('getTranscript', { params: { id: runId }, query })
      const from = items[0]
      if (items.at(-1)?.seq === state.first - 1 && from) {
        blocks.prepend(items)
        show({ reading: false, first: from.seq })
      } else show({ reading: false }) // it began again meanwhile
    } catch (error) {
      show({ reading: false, error: error as Error })
    }
  }

  function readOlder(): Promise<void> {
    if (state.first <= 1) return Promise.resolve()
    older ??= readPage().finally(() => {
      older = undefined
    })
    return older
  }

  return {
    read: () => state,
    subscribe(listener) {
      listeners.add(listener)
      if (!followed) {
        taken = 0
        followed = followLog<TranscriptEntry>(`run/${runId}`, NEWEST, take)
        take()
      }
      return () => {
        listeners.delete(listener)
        if (listeners.size > 0) return
        followed?.end()
        followed = undefined
      }
    },
    ...{ readEnd, readOlder },
    async readAll(signal) {
      while (state.first > 1 && !signal.aborted) {
        await readOlder()
        if (state.error) return
      }
    },
  }
}

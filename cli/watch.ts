import type { StoredEvent } from '../contracts/events.ts'
import type { Goal, TranscriptEntry } from '../contracts/schemas.ts'
import type { Deps, LiveItem } from './command.ts'
import { eventLine } from './event-line.ts'
import { EXIT } from './failure.ts'
import { look } from './format.ts'
import type { Io } from './io.ts'
import { oneLine } from './terminal-text.ts'
import { isFragment, transcriptLine } from './transcript-line.ts'
import { createBlock } from './watch-block.ts'

/** Characters of an agent's open line that are kept: more than any terminal is wide. */
const LINE_MAX = 2000

/** A goal that needs attention moves no more until a person does something. */
const ENDED: readonly Goal['status'][] = ['completed', 'cancelled', 'needs_attention']
const isEnded = (goal: Goal) => ENDED.includes(goal.status)

/**
 * Shows a goal until it ends or needs attention: a block redrawn in place on a terminal, else one line (with --json one event) a change.
 * Exit codes: 0 completed, 1 cancelled or in need of attention, 130 Ctrl-C; the goal goes on then.
 */
export async function watchGoal(id: string, deps: Deps, io: Io): Promise<number> {
  const goal = await deps.call('getGoal', { params: { id } })
  if (isEnded(goal)) return finish(goal, io)
  const watching = io.draws ? drawUntilEnd(goal, deps, io) : printUntilEnd(goal, deps, io)
  const ended = await watching.catch((error) => {
    if (!deps.signal.aborted) throw error
    return undefined
  })
  if (ended) return finish(ended, io)
  io.note(await afterInterrupt(goal, deps))
  return EXIT.interrupted
}

/** What the goal does now that nobody watches it. */
async function afterInterrupt({ id, shortId }: Goal, deps: Deps): Promise<string> {
  const input = { params: { id } }
  const goal = await deps.call('getGoal', input, { seconds: 2 }).catch(() => undefined)
  const again = `Watch it again: dispatch goal watch ${shortId}`
  if (!goal) return `${shortId} is watched no more; Dispatch does not answer. ${again}`
  if (isEnded(goal))
    return `${shortId} is ${look(goal.status).word}. See it: dispatch goal show ${shortId}`
  if (goal.paused) return `${shortId} stays paused. Go on with it: dispatch goal resume ${shortId}`
  const waiting = goal.reviews.find(({ status }) => status === 'pending')
  if (waiting)
    return `${shortId} goes on; ${waiting.shortId} waits: dispatch approve ${waiting.shortId}`
  return `${shortId} goes on. ${again}`
}

function finish(goal: Goal, io: Io): number {
  if (io.json) io.document(goal, { line: true })
  const commit = goal.mergedCommit ? ` as ${goal.mergedCommit}` : ''
  const reason = goal.reason ? `: ${io.clean(goal.reason)}` : ''
  io.print(`${goal.shortId} ${look(goal.status).word}${commit}${reason}`)
  if (goal.status === 'needs_attention') {
    io.note(`Try the stage again: dispatch goal retry ${goal.shortId}`)
    io.note(`Or end it: dispatch goal cancel ${goal.shortId}`)
  }
  return goal.status === 'completed' ? EXIT.ok : EXIT.error
}

/** Returns the goal when it has ended, undefined after Ctrl-C. */
async function printUntilEnd({ id }: Goal, deps: Deps, io: Io): Promise<Goal | undefined> {
  for await (const item of deps.subscribe(`goal/${id}`, { after: 0, signal: deps.signal })) {
    const event = item as unknown as StoredEvent
    if (io.json) io.document(item, { line: true })
    if (!isToldByReview(event)) io.print(`${event.at}\t${oneLine(eventLine(event))}`)
    if (!saysEnd(event)) continue
    const goal = await deps.call('getGoal', { params: { id } })
    if (isEnded(goal)) return goal
  }
  return undefined
}

/** That a stage waits for a review is said by the review itself, and with more words. */
const isToldByReview = (event: StoredEvent) =>
  event.type === 'stage.status' && event.data.status === 'review'

/** A goal that failed may have been tried again since: the caller asks for its state. */
const saysEnd = (event: StoredEvent) =>
  event.type === 'goal.status' && ENDED.includes(event.data.status)

async function drawUntilEnd(first: Goal, deps: Deps, io: Io): Promise<Goal | undefined> {
  const block = createBlock(io)
  const stop = new AbortController()
  const signal = AbortSignal.any([deps.signal, stop.signal])
  let goal = first
  let lastLine = ''
  let followed = ''
  let following = new AbortController()
  const redraw = () => block.draw({ goal, lastLine, now: Date.now() })

  /** Shows the newest words of the run that works now, and of none when there is none. */
  function turnTo(runId: string) {
    following.abort()
    following = new AbortController()
    followed = runId
    lastLine = ''
    if (runId !== '') void follow(runId, following.signal).catch((error) => failures.push(error))
  }

  async function follow(runId: string, ended: AbortSignal) {
    let open = ''
    const subscription = { after: 0, signal: AbortSignal.any([signal, ended]) }
    for await (const item of deps.subscribe(`run/${runId}`, subscription)) {
      const entry = item as unknown as TranscriptEntry
      const words = transcriptLine(entry, { ...io, paint: (_style, text) => text }) ?? ''
      // Agents speak in pieces: the line grows until it ends.
      open = isFragment(entry) ? (open + words).slice(-LINE_MAX) : words
      const line = lastLineOf(open)
      if (!isFragment(entry)) open = ''
      if (line) lastLine = line
    }
  }

  const failures: unknown[] = []
  const clock = setInterval(redraw, 1000)
  // without this the terminal would be left without its cursor
  const ended = (by: NodeJS.Signals) => {
    block.end()
    process.kill(process.pid, by)
  }
  process.once('SIGTERM', ended)
  try {
    redraw()
    for await (const events of bursts(deps.subscribe(`goal/${first.id}`, { after: 0, signal }))) {
      goal = await deps.call('getGoal', { params: { id: first.id } })
      const run = workingRun(events as unknown as StoredEvent[])
      if (run === null) turnTo('')
      else if (run && run !== followed && !isEnded(goal)) turnTo(run)
      if (failures.length > 0) throw failures[0]
      redraw()
      if (isEnded(goal)) return goal
    }
    return undefined
  } finally {
    process.off('SIGTERM', ended)
    clearInterval(clock)
    stop.abort()
    block.end()
  }
}

/** Run that works after these events, null when the last one ended, undefined when they say nothing about runs. */
function workingRun(events: StoredEvent[]): string | null | undefined {
  const last = events.filter((event) => event.type === 'run.status').at(-1)
  if (!last) return undefined
  return last.data.status === 'running' ? last.data.runId : null
}

/** Takes together what arrived while the consumer was busy: one look at the goal serves all of it. */
export async function* bursts(items: AsyncIterable<LiveItem>): AsyncGenerator<LiveItem[]> {
  let waiting: LiveItem[] = []
  let wake: () => void = () => undefined
  let over = false
  let failure: unknown
  const pump = (async () => {
    try {
      for await (const item of items) {
        waiting.push(item)
        wake()
      }
    } catch (error) {
      failure = error
    } finally {
      over = true
      wake()
    }
  })()
  for (;;) {
    if (waiting.length === 0 && !over) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    if (waiting.length > 0) {
      const burst = waiting
      waiting = []
      yield burst
    } else if (over) {
      await pump
      if (failure) throw failure
      return
    }
  }
}

const lastLineOf = (text: string) =>
  text
    .split('\n')
    .map(oneLine)
    .filter((line) => line !== '')
    .at(-1) ?? ''

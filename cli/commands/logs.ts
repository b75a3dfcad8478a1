import type { StoredEvent } from '../../contracts/events.ts'
import type { AgentRun, TranscriptEntry } from '../../contracts/schemas.ts'
import { type Deps, defineCommand } from '../command.ts'
import { EXIT, usageFailure } from '../failure.ts'
import type { Io } from '../io.ts'
import { runId } from '../target.ts'
import { oneLine } from '../terminal-text.ts'
import { createTranscriptPrinter, isLastEntry } from '../transcript-line.ts'

export const logs = defineCommand({
  name: 'logs',
  summary: 'Show what an agent run said and did, or the log of a service',
  prints: { replies: ['getTranscript'], fields: ['level', 'time', 'service', 'msg', 'err'] },
  args: { run: { help: 'an agent run, such as A-7', complete: 'run' } },
  options: {
    follow: { type: 'boolean', short: 'f', help: 'go on until the run ends' },
    service: {
      type: 'string',
      help: 'the log of a part of Dispatch',
      choices: ['supervisor', 'worker', 'api', 'runner', 'postgres', 'temporal'],
    },
  },
  examples: ['dispatch logs A-7 -f', 'dispatch logs --service worker -f'],
  handlesInterrupt: true,
  async run({ run, follow, service }, deps, io) {
    if (service && run) throw usageFailure('Give a run or --service, not both.')
    if (service) return printServiceLog({ service, follow }, deps, io)
    if (!run) throw usageFailure('Give a run, such as A-7, or --service.', 'Runs: dispatch agents')
    return printTranscript({ id: runId(run), follow }, deps, io)
  },
})

async function printTranscript(
  { id, follow }: { id: string; follow: boolean },
  deps: Deps,
  io: Io,
): Promise<number> {
  const printer = createTranscriptPrinter(io)
  const withWords = correctionWords(id, deps)
  const show = async (entry: TranscriptEntry) => {
    if (io.json && follow) io.document(entry, { line: true })
    printer.print(io.json ? entry : await withWords(entry))
  }
  if (!follow) {
    const entries: TranscriptEntry[] = []
    const keep = async (entry: TranscriptEntry) => void entries.push(entry)
    await readFrom({ id, after: 0, show: io.json ? keep : show }, deps)
    printer.end()
    if (io.json) io.document({ items: entries, next: null })
    return EXIT.ok
  }
  const run = await deps.call('getAgent', { params: { id } })
  const last = isOver(run.status)
    ? await readFrom({ id, after: 0, show }, deps)
    : await followRun(run, { deps, show })
  if (!deps.signal.aborted) await readFrom({ id, after: last, show }, deps)
  printer.end()
  return deps.signal.aborted ? EXIT.interrupted : EXIT.ok
}

type Show = (entry: TranscriptEntry) => Promise<void>

/** A transcript names a correction by its id: what was said is with the run, and is read when an id is met that is not known yet. */
function correctionWords(run: string, deps: Deps) {
  const known = new Map<unknown, string>()
  return async (entry: TranscriptEntry): Promise<TranscriptEntry> => {
    if (entry.kind !== 'correction') return entry
    const { id } = entry.content
    if (!known.has(id)) {
      const { corrections } = await deps.call('getAgent', { params: { id: run } })
      for (const one of corrections) known.set(one.id, oneLine(one.text))
    }
    return { ...entry, content: { ...entry.content, text: known.get(id) ?? '' } }
  }
}

const isOver = (status: AgentRun['status']) => status !== 'running'

/** Shows stored entries after `after`; returns the last seq. */
async function readFrom(
  { id, after, show }: { id: string; after: number; show: Show },
  deps: Deps,
): Promise<number> {
  let last = after
  while (!deps.signal.aborted) {
    const page = await deps.call('getTranscript', {
      params: { id },
      query: { after: last, limit: 200 },
    })
    for (const entry of page.items) {
      await show(entry)
      last = entry.seq
    }
    if (page.next === null || page.items.length === 0) return last
  }
  return last
}

/** Shows entries as they come, until the last one, or until an event says that the run ended without one. */
async function followRun(
  run: AgentRun,
  { deps, show }: { deps: Deps; show: Show },
): Promise<number> {
  const over = new AbortController()
  const signal = AbortSignal.any([deps.signal, over.signal])
  const end = endOf(run, deps, signal).finally(() => over.abort())
  let last = 0
  for await (const item of deps.subscribe(`run/${run.id}`, { after: 0, signal })) {
    const entry = item as unknown as TranscriptEntry
    await show(entry)
    last = entry.seq
    if (isLastEntry(entry)) break
  }
  over.abort()
  await end
  return last
}

async function endOf(run: AgentRun, deps: Deps, signal: AbortSignal): Promise<void> {
  for await (const item of deps.subscribe(`goal/${run.goalId}`, { after: 0, signal })) {
    const event = item as unknown as StoredEvent
    if (event.type === 'run.status' && event.data.runId === run.id && isOver(event.data.status))
      return
  }
}

async function printServiceLog(
  { service, follow }: { service: string; follow: boolean },
  deps: Deps,
  io: Io,
): Promise<number> {
  const { readLogs } = await import('../../config/log.ts')
  const dir = deps.home().logs
  const entries: unknown[] = []
  let count = 0
  for await (const line of readLogs({ dir, service, follow, signal: deps.signal })) {
    count += 1
    const entry = parsed(line)
    if (io.json && follow) io.document(entry ?? { msg: line }, { line: true })
    else if (io.json) entries.push(entry ?? { msg: line })
    else io.print(io.tty && entry ? logLine(entry, io) : io.clean(line))
  }
  if (io.json && !follow) io.document({ items: entries, next: null })
  if (count === 0) io.note(`${service} has logged nothing in ${dir}`)
  return deps.signal.aborted ? EXIT.interrupted : EXIT.ok
}

interface LogEntry {
  time?: string
  level?: number
  msg?: string
  err?: { message?: string }
}

/** Undefined for a line that is not JSON, such as those of Postgres. */
function parsed(line: string): LogEntry | undefined {
  if (!line.startsWith('{')) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function logLine({ time = '', level = 30, msg = '', err }: LogEntry, io: Io): string {
  const text = oneLine(err?.message && err.message !== msg ? `${msg}: ${err.message}` : msg)
  const shown = level >= 50 ? io.paint('red', text) : level >= 40 ? io.paint('yellow', text) : text
  return `${io.paint('dim', oneLine(time))} ${shown}`
}

import type { AgentEvent, RunSpec, TerminalEvent } from '../contracts/agent.ts'
import type { AdapterIo, AgentSession, Correction } from './adapter.ts'
import { orAsItIs } from './as-it-is.ts'
import { type CliLine, type CliProcess, spawnCli } from './cli-process.ts'
import {
  adapterFailed,
  endOf,
  endWithoutResult,
  INTERRUPT_GRACE_MS,
  letEnd,
  TOO_LATE,
} from './endings.ts'
import { createEventQueue, type EventQueue } from './event-queue.ts'

/** What differs between agents that are driven as a CLI with one JSON object per line. */
export interface CliDialect {
  command: string
  args: readonly string[]
  /** Lines written to stdin at the start. */
  input: readonly string[]
  /** Its stdin is closed after those: it reads to the end before it begins. */
  endsInput?: boolean
  /** One stdout line as events. A terminal event ends the session; what comes later is dropped. */
  read(line: CliLine): AgentEvent[]
  /** What its lines left out and its end leaves behind, however it ended. */
  untold?(): AgentEvent[]
  /** The stdin line that hands over a correction; undefined where the agent takes none while it works. */
  correction(correction: Correction): string | undefined
}

/** How long a CLI may live on after it gave its result. */
const EXIT_GRACE_MS = 1000
const STDERR_KEPT_LINES = 5
const TITLE = 'The agent'
const TAKES_NONE: AgentEvent = {
  type: 'notice',
  level: 'warn',
  text: 'This version of the agent takes no corrections while it works. The next attempt is told.',
}

/** Runs a CLI as a session: spawns, translates, and makes sure that exactly one terminal event ends the stream. */
export function openCliSession(spec: RunSpec, io: AdapterIo, dialect: CliDialect): AgentSession {
  const cli = spawnCli({
    command: dialect.command,
    args: dialect.args,
    cwd: spec.cwd,
    env: spec.env,
    sandbox: spec.sandbox,
  })
  const queue = createEventQueue<AgentEvent>()
  let interrupted = false
  const stop = () => {
    interrupted = true
    cli.kill()
  }
  if (io.signal.aborted) stop()
  else io.signal.addEventListener('abort', stop, { once: true })
  for (const line of dialect.input) cli.write(line)
  if (dialect.endsInput) cli.closeInput()

  void pump(cli, dialect, queue)
    .catch((error: unknown) => {
      cli.kill()
      return adapterFailed(error)
    })
    .then((terminal) => {
      io.signal.removeEventListener('abort', stop)
      for (const event of orAsItIs(terminal, () => dialect.untold?.() ?? [])) void queue.push(event)
      void queue.push(endOf(TITLE, terminal, interrupted))
      queue.end()
    })
  return {
    events: queue.items,
    correct(correction) {
      void queue.push({ type: 'correction', id: correction.id, state: 'queued' })
      const line = dialect.correction(correction)
      if (line !== undefined && cli.write(line)) return
      void queue.push(line === undefined ? TAKES_NONE : TOO_LATE)
    },
    interrupt() {
      interrupted = true
      cli.interrupt(INTERRUPT_GRACE_MS)
    },
  }
}

async function pump(
  cli: CliProcess,
  dialect: CliDialect,
  queue: EventQueue<AgentEvent>,
): Promise<TerminalEvent> {
  const stderr: string[] = []
  for await (const line of cli.lines) {
    if (line.dropped > 0) await queue.push(tooLong(line))
    const read = () => (line.from === 'stderr' ? stderrNotice(line, stderr) : dialect.read(line))
    for (const event of orAsItIs(line.text, read)) {
      if (event.type === 'done' || event.type === 'failed') {
        // nothing more is read: a daemon that got away may hold the pipes for as long as it lives
        await letEnd(cli, EXIT_GRACE_MS)
        return event
      }
      await queue.push(event)
    }
  }
  return endWithoutResult(TITLE, await cli.exited, stderr)
}

function tooLong(line: CliLine): AgentEvent {
  const text = `A line of the agent's ${line.from} was too long; ${line.dropped} bytes were dropped.`
  return { type: 'notice', level: 'warn', text }
}

function stderrNotice(line: CliLine, kept: string[]): AgentEvent[] {
  if (line.text === '') return []
  kept.push(line.text)
  if (kept.length > STDERR_KEPT_LINES) kept.shift()
  return [{ type: 'notice', level: 'warn', text: line.text }]
}

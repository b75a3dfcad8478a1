import type { AgentEvent, RunSpec, TerminalEvent } from '../contracts/agent.ts'
import type { AdapterIo, AgentSession } from './adapter.ts'
import { type CliExit, type CliLine, type CliProcess, spawnCli } from './cli-process.ts'
import { createEventQueue, type EventQueue } from './event-queue.ts'

/** What differs between agents that are driven as a CLI with one JSON object per line. */
export interface CliDialect {
  command: string
  args: readonly string[]
  /** Lines written to stdin at the start. */
  input: readonly string[]
  /** Its stdin is closed after those: it reads to the end before it begins. */
  endsInput?: boolean
  /** One stdout line as events. A terminal event ends the session; what comes later is dropped. Must not throw. */
  read(line: CliLine): AgentEvent[]
  /** The stdin line that hands over a correction; undefined where the agent takes none while it works. */
  correction(correction: { id: string; text: string }): string | undefined
}

/** Time between SIGINT and SIGKILL; an interrupt has to end within 2 s. */
const INTERRUPT_GRACE_MS = 800
/** How long a CLI may live on after it gave its result. */
const EXIT_GRACE_MS = 1000
const STDERR_KEPT_LINES = 5

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
      return { type: 'failed', reason: 'crash', detail: `The adapter failed: ${error}` } as const
    })
    .then((terminal) => {
      io.signal.removeEventListener('abort', stop)
      void queue.push(interrupted && terminal.type === 'failed' ? INTERRUPTED : terminal)
      queue.end()
    })
  return {
    events: queue.items,
    correct(correction) {
      void queue.push({ type: 'correction', id: correction.id, state: 'queued' })
      const line = dialect.correction(correction)
      if (line !== undefined && cli.write(line)) return
      const text =
        line === undefined
          ? 'This version of the agent takes no corrections while it works. The next attempt is told.'
          : 'The correction came too late: the agent had already ended.'
      void queue.push({ type: 'notice', level: 'warn', text })
    },
    interrupt() {
      interrupted = true
      cli.interrupt(INTERRUPT_GRACE_MS)
    },
  }
}

const INTERRUPTED: TerminalEvent = {
  type: 'failed',
  reason: 'interrupted',
  detail: 'The agent was interrupted.',
}

async function pump(
  cli: CliProcess,
  dialect: CliDialect,
  queue: EventQueue<AgentEvent>,
): Promise<TerminalEvent> {
  let terminal: TerminalEvent | undefined
  const stderr: string[] = []
  for await (const line of cli.lines) {
    if (line.dropped > 0) await queue.push(tooLong(line))
    if (terminal) continue
    for (const event of line.from === 'stderr' ? stderrNotice(line, stderr) : dialect.read(line)) {
      if (event.type !== 'done' && event.type !== 'failed') {
        await queue.push(event)
        continue
      }
      terminal = event
      cli.closeInput()
      const timer = setTimeout(() => cli.kill(), EXIT_GRACE_MS)
      void cli.exited.then(() => clearTimeout(timer))
      break
    }
  }
  return terminal ?? endWithoutResult(await cli.exited, stderr, dialect)
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

/** The exit code alone lies (0 after an interrupt, 0 after a crash of a wrapper): no result is always a failure. */
function endWithoutResult(exit: CliExit, stderr: string[], dialect: CliDialect): TerminalEvent {
  if (exit.error)
    return {
      type: 'failed',
      reason: 'missing',
      detail: `${dialect.command} could not be started: ${exit.error.message}`,
    }
  const how = exit.signal ? `was ended by ${exit.signal}` : `exited with code ${exit.code ?? '?'}`
  const last = stderr.length > 0 ? ` Its last words: ${stderr.join(' / ').slice(0, 2000)}` : ''
  return {
    type: 'failed',
    reason: 'crash',
    detail: `The agent ${how} without giving a result.${last}`,
  }
}

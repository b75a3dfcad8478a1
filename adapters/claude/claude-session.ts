import { randomUUID } from 'node:crypto'
import type { Options, Query, SDKUserMessage } from '@anthropic-ai/claude-agent-sdk'
import type { AgentEvent, RunSpec, TerminalEvent } from '../../contracts/agent.ts'
import type { AdapterIo, AgentSession } from '../adapter.ts'
import { orAsItIs } from '../as-it-is.ts'
import type { CliProcess } from '../cli-process.ts'
import {
  adapterFailed,
  endByInterrupt,
  endBySilence,
  endOf,
  INTERRUPT_GRACE_MS,
  lastWords,
  letEnd,
  TOO_LATE,
} from '../endings.ts'
import { createEventQueue } from '../event-queue.ts'
import { createSilenceWatch } from '../silence-watch.ts'
import { accessOptions } from './access.ts'
import { spawnClaude } from './spawn-claude.ts'
import { createTranslator } from './translator.ts'
import type { ClaudeMessage } from './wire.ts'

const TITLE = 'Claude Code'
/** How long it may live on after its result. */
const EXIT_GRACE_MS = 1500
const STDERR_KEPT_LINES = 5

/**
 * Set for every run beside the spec's environment: few retries, because Dispatch decides about waiting (a run that waits holds a place
 * in the pool); no telemetry and no update of itself in the middle of a run; no notes for later runs, which all worktrees of a repository
 * would share, those that judge this one among them; a refusal to start is a result and no bare stderr.
 */
export const CLAUDE_VARIABLES: Readonly<Record<string, string>> = {
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
  CLAUDE_CODE_MAX_RETRIES: '2',
  CLAUDE_CODE_DISABLE_AUTO_MEMORY: '1',
  CLAUDE_CODE_STARTUP_FAILURE_RESULTS: '1',
}

/** `program`: the `claude` to run. The SDK is loaded only here, so that no other run pays for it. */
export function openClaudeSession(spec: RunSpec, io: AdapterIo, program: string): AgentSession {
  const queue = createEventQueue<AgentEvent>()
  const input = createEventQueue<SDKUserMessage>()
  // before any correction, however early it comes: the first message is what the run is about
  void input.push(userMessage(spec.prompt))
  const corrections = createCorrections((event) => void queue.push(event))
  let cli: CliProcess | undefined
  let session: Query | undefined
  let interrupted = false
  let over = false

  const stop = () => {
    interrupted = true
    cli?.kill()
  }
  const started = (process: CliProcess) => {
    cli = process
    if (interrupted) process.kill()
  }
  const run = async (): Promise<TerminalEvent> => {
    const { query } = await import('@anthropic-ai/claude-agent-sdk')
    const talk = createTalk(spec, corrections, queue.push)
    const options = sdkOptions(spec, { program, started, ...talk.overheard })
    session = query({ prompt: input.items, options })
    const watch = createSilenceWatch(spec.silenceSeconds, talk.isWaiting, () => cli?.kill())
    try {
      for await (const message of session) {
        watch.heard()
        const terminal = await talk.hear(message as ClaudeMessage)
        // Known before the agent itself gave up: it must not go on trying.
        if (terminal && message.type !== 'result') cli?.kill()
        if (terminal) return terminal
      }
    } catch (error) {
      talk.failed(error)
    } finally {
      watch.stop()
    }
    const waited = watch.bit()
    return waited ? endBySilence(TITLE, waited) : talk.withoutResult()
  }
  const drive = async () => {
    const terminal = await run().catch(adapterFailed)
    over = true
    input.end()
    await letEnd(cli, EXIT_GRACE_MS)
    io.signal.removeEventListener('abort', stop)
    await queue.push(endOf(TITLE, terminal, interrupted))
    queue.end()
  }
  async function* events(): AsyncGenerator<AgentEvent> {
    // Nothing is started before the reader has stored the session: it asks for the next event only then.
    yield { type: 'session', sessionId: spec.resumeSessionId ?? spec.newSessionId, ahead: true }
    if (io.signal.aborted || interrupted) return yield endByInterrupt(TITLE)
    io.signal.addEventListener('abort', stop, { once: true })
    void drive()
    yield* queue.items
  }
  return {
    events: events(),
    correct({ id, text }) {
      const problem = over ? TOO_LATE : corrections.add(id)
      if (problem) void queue.push(problem)
      else void input.push(userMessage(text, corrections.uuidOf(id)))
    },
    interrupt() {
      if (interrupted || over) return
      interrupted = true
      setTimeout(() => cli?.kill(), INTERRUPT_GRACE_MS).unref()
      // It may be too young or too stuck to answer; the timer ends it then.
      session?.interrupt().catch(() => undefined)
    },
  }
}

/** `client_composed`: sent as it is written. A goal's text is no place for slash commands or for `@file`. */
function userMessage(text: string, uuid?: string): SDKUserMessage {
  const message = { role: 'user' as const, content: text }
  const base = { type: 'user' as const, message, parent_tool_use_id: null, client_composed: true }
  return { ...base, ...(uuid ? { uuid } : {}) } as SDKUserMessage
}

interface SpawnWish {
  program: string
  started(cli: CliProcess): void
  stderr(text: string): void
  garbage(text: string): void
}

function sdkOptions(spec: RunSpec, wish: SpawnWish): Options {
  const { outputSchema, resumeSessionId } = spec
  return {
    ...accessOptions(spec),
    cwd: spec.cwd,
    env: { ...spec.env, ...CLAUDE_VARIABLES },
    pathToClaudeCodeExecutable: wish.program,
    systemPrompt: { type: 'preset', preset: 'claude_code' },
    // The person's own (their login may be there); never the repository's, which may bring hooks and permissions.
    settingSources: ['user'],
    strictMcpConfig: true,
    includePartialMessages: true,
    ...(spec.model === undefined ? {} : { model: spec.model }),
    ...(resumeSessionId === undefined
      ? { sessionId: spec.newSessionId }
      : { resume: resumeSessionId }),
    ...(outputSchema ? { outputFormat: { type: 'json_schema', schema: plain(outputSchema) } } : {}),
    spawnClaudeCodeProcess: (options) => {
      const { cli, spawned } = spawnClaude(options, spec, {
        stderr: wish.stderr,
        garbage: ({ text, dropped, from }) =>
          wish.garbage(
            dropped > 0
              ? `A line of the agent's ${from} was too long; ${dropped} bytes were dropped.`
              : text,
          ),
      })
      wish.started(cli)
      return spawned
    },
  }
}

/** The CLI checks answers with a validator that knows no 2020-12 by name. */
function plain(schema: Record<string, unknown>): Record<string, unknown> {
  const { $schema: _, ...rest } = schema
  return rest
}

/** What one session has said so far, and what follows from it. */
function createTalk(
  spec: RunSpec,
  corrections: Corrections,
  push: (event: AgentEvent) => Promise<void>,
) {
  const stderr: string[] = []
  let thrown: unknown
  let sessionSeen = ''
  const translator = createTranslator({
    cwd: spec.cwd,
    structured: spec.outputSchema !== undefined,
    onLifecycle: corrections.heard,
  })
  return {
    overheard: {
      stderr(text: string) {
        if (text === '') return
        stderr.push(text)
        if (stderr.length > STDERR_KEPT_LINES) stderr.shift()
        void push({ type: 'notice', level: 'warn', text })
      },
      garbage: (text: string) =>
        void push({ type: 'notice', level: 'warn', text: text.slice(0, 2000) }),
    },
    /** True while the model, or the program that starts, is to speak, and not a tool. */
    isWaiting: () => translator.toolsAtWork() === 0,
    failed(error: unknown) {
      thrown = error
    },
    /** The terminal event, once everything that was sent to the agent is dealt with. */
    async hear(message: ClaudeMessage): Promise<TerminalEvent | undefined> {
      const read = () => translator.read(message)
      for (const event of message.type === 'result' ? read() : orAsItIs(message, read)) {
        if (event.type === 'failed') return event
        // A correction that waits starts another turn: that one's answer counts.
        if (event.type === 'done') return corrections.areWaiting() ? undefined : event
        if (event.type === 'session') {
          const seen = `${event.sessionId} ${event.model ?? ''}`
          if (seen === sessionSeen) continue
          sessionSeen = seen
          corrections.reportedBy(translator.reportsMessages())
        }
        await push(event)
      }
      return undefined
    },
    /** The stream ended without a result: whatever the exit code says, that is no answer. */
    withoutResult(): TerminalEvent {
      const why = thrown instanceof Error ? thrown.message : 'it exited'
      const isMissing = thrown instanceof Error && /ENOENT|not found/.test(String(thrown))
      const detail = `Claude Code ended without giving a result: ${why}.${lastWords(stderr)}`
      return { type: 'failed', reason: isMissing ? 'missing' : 'crash', detail }
    },
  }
}

const TAKES_NONE: AgentEvent = {
  type: 'notice',
  level: 'warn',
  text: 'This version of Claude Code takes no corrections while it works: update it. The next attempt is told.',
}

type Corrections = ReturnType<typeof createCorrections>

/**
 * How far each correction came. `delivered`: the CLI has it; `applied`: it stands in the conversation from the next request to the model on.
 * Sent with a uuid of its own, by which `command_lifecycle` names it (queued, started, completed, cancelled).
 */
function createCorrections(push: (event: AgentEvent) => void) {
  const ids = new Map<string, string>()
  const uuids = new Map<string, string>()
  const waiting = new Set<string>()
  let reports = true
  return {
    /** Undefined when it may be sent, else what tells why not. */
    add(id: string): AgentEvent | undefined {
      push({ type: 'correction', id, state: 'queued' })
      if (!reports) return TAKES_NONE
      const uuid = randomUUID()
      ids.set(uuid, id)
      uuids.set(id, uuid)
      waiting.add(uuid)
      return undefined
    },
    uuidOf: (id: string) => uuids.get(id),
    heard(uuid: string, state: string) {
      const id = ids.get(uuid)
      if (id === undefined) return
      if (state === 'queued') push({ type: 'correction', id, state: 'delivered' })
      if (state === 'started') push({ type: 'correction', id, state: 'applied' })
      if (state !== 'queued') waiting.delete(uuid)
    },
    areWaiting: () => waiting.size > 0,
    reportedBy(cli: boolean) {
      reports = cli
      // nothing will tell of those that came before this was known
      if (!cli) waiting.clear()
    },
  }
}

import type { AgentEvent, RunSpec, TerminalEvent } from '../../contracts/agent.ts'
import type { AdapterIo, AgentSession } from '../adapter.ts'
import { type CliLine, type CliProcess, spawnCli } from '../cli-process.ts'
import { createEventQueue } from '../event-queue.ts'
import { createSilenceWatch, type SilenceWatch } from '../silence-watch.ts'
import { configFlags } from './access.ts'
import { type Conversation, createConversation } from './conversation.ts'
import type { Correction } from './corrections.ts'
import { openExecSession } from './exec-session.ts'
import { createJsonRpc, type JsonRpc } from './json-rpc.ts'
import { noticeOf } from './translator.ts'

/** An interrupt has to end within 2 s: this long the agent may obey, then its tree is killed. */
const INTERRUPT_GRACE_MS = 800
/** How long it may live on after its last turn: it has to write its thread down. */
const EXIT_GRACE_MS = 1500
const STDERR_KEPT_LINES = 5
/** A command's output or a diff is one line. What is longer is dropped and told of. */
const MAX_LINE_BYTES = 8 * 1024 * 1024

/** `program`: the `codex` to run as an app-server, or by `codex exec` where it is too old for that. */
export function openCodexSession(spec: RunSpec, io: AdapterIo, program: string): AgentSession {
  const queue = createEventQueue<AgentEvent>()
  /** Corrections that came before the server was there. */
  const early: Correction[] = []
  let server: Server | undefined
  let fallback: AgentSession | undefined
  let interrupted = false
  let over = false
  let readerHasSession: () => void = () => undefined
  const stored = new Promise<void>((resolve) => {
    readerHasSession = resolve
  })

  const stop = () => {
    interrupted = true
    server?.cli.kill()
  }
  /** Undefined: this Codex has no app-server that we speak with. */
  const run = async ({ conversation, rpc, ended }: Server): Promise<TerminalEvent | undefined> => {
    const opened = await Promise.race([conversation.open(), ended])
    if (opened.type === 'unsupported') return undefined
    if (opened.type === 'failed' && opened.reason === 'crash' && !rpc.hasAnswered())
      return undefined
    if (opened.type !== 'open') return opened
    // no request to the model before the session's id is stored
    await stored
    return interrupted ? INTERRUPTED : Promise.race([conversation.work(), ended])
  }
  const drive = async (at: Server) => {
    const said = await run(at).catch(adapterFailed)
    const terminal = at.watch.bit() ? hung(spec.silenceSeconds) : said
    over = terminal !== undefined
    at.watch.stop()
    at.conversation.stop()
    await end(at.cli)
    io.signal.removeEventListener('abort', stop)
    if (!terminal && !interrupted) fallback = openExecSession(spec, io, program)
    const last = terminal ?? INTERRUPTED
    if (!fallback) await queue.push(interrupted && last.type === 'failed' ? INTERRUPTED : last)
    queue.end()
  }
  async function* events(): AsyncGenerator<AgentEvent> {
    if (io.signal.aborted || interrupted) return yield INTERRUPTED
    io.signal.addEventListener('abort', stop, { once: true })
    server = startServer(spec, program, queue.push)
    for (const each of early.splice(0)) server.conversation.correct(each)
    void drive(server)
    for await (const event of queue.items) {
      yield event
      if (event.type === 'session') readerHasSession()
    }
    if (fallback) yield* fallback.events
  }
  return {
    events: events(),
    correct(correction) {
      if (fallback) return fallback.correct(correction)
      if (over) return void queue.push({ type: 'notice', level: 'warn', text: TOO_LATE })
      if (server) server.conversation.correct(correction)
      else early.push(correction)
    },
    interrupt() {
      if (fallback) return fallback.interrupt()
      if (interrupted || over) return
      interrupted = true
      if (!server) return
      const { cli, conversation } = server
      if (!conversation.interrupt()) return cli.kill()
      setTimeout(() => cli.kill(), INTERRUPT_GRACE_MS).unref()
    },
  }
}

const TOO_LATE = 'The correction came too late: the agent had already ended.'
const INTERRUPTED: TerminalEvent = {
  type: 'failed',
  reason: 'interrupted',
  detail: 'Codex was interrupted.',
}
const hung = (seconds: number): TerminalEvent => ({
  type: 'failed',
  reason: 'hung',
  detail: `Codex waited for its model for ${seconds} s and heard nothing.`,
})
const adapterFailed = (error: unknown): TerminalEvent => ({
  type: 'failed',
  reason: 'crash',
  detail: `The adapter failed: ${String(error)}`,
})

interface Server {
  cli: CliProcess
  rpc: JsonRpc
  conversation: Conversation
  /** The program has ended by itself: whatever its exit code, that is no answer. */
  ended: Promise<TerminalEvent>
  watch: SilenceWatch
}

function startServer(
  spec: RunSpec,
  program: string,
  push: (event: AgentEvent) => Promise<void>,
): Server {
  const ephemeral = ['-c', 'cli_auth_credentials_store="ephemeral"']
  const cli = spawnCli({
    command: program,
    args: [...configFlags(spec.cwd), ...(spec.env['CODEX_API_KEY'] ? ephemeral : []), 'app-server'],
    cwd: spec.cwd,
    env: spec.env,
    sandbox: spec.sandbox,
    maxLineBytes: MAX_LINE_BYTES,
  })
  const rpc = createJsonRpc(cli.write)
  const conversation = createConversation({ spec, rpc, push })
  const stderr: string[] = []
  const watch = createSilenceWatch(spec.silenceSeconds, conversation.isWaiting, cli.kill)
  const read = async (): Promise<TerminalEvent> => {
    for await (const line of cli.lines) {
      watch.heard()
      if (line.from === 'stderr') keep(stderr, line.text)
      await hearLine(line, { rpc, conversation, push })
    }
    return withoutResult(await cli.exited, stderr)
  }
  return { cli, rpc, conversation, watch, ended: read().catch(adapterFailed) }
}

async function hearLine(
  line: CliLine,
  to: { rpc: JsonRpc; conversation: Conversation; push(event: AgentEvent): Promise<void> },
): Promise<void> {
  const { text, dropped, from } = line
  if (dropped > 0) {
    const told = `A line of the agent's ${from} was too long; ${dropped} bytes were dropped.`
    return to.push({ type: 'notice', level: 'warn', text: told })
  }
  const incoming = from === 'stdout' ? to.rpc.read(text) : 'garbage'
  if (incoming === undefined) return
  if (incoming !== 'garbage') return to.conversation.hear(incoming)
  for (const notice of noticeOf(text)) await to.push(notice)
}

function keep(kept: string[], text: string): void {
  const [notice] = noticeOf(text)
  if (notice?.type !== 'notice') return
  kept.push(notice.text)
  if (kept.length > STDERR_KEPT_LINES) kept.shift()
}

function withoutResult(
  { code, signal, error }: Awaited<CliProcess['exited']>,
  stderr: readonly string[],
): TerminalEvent {
  if (error)
    return {
      type: 'failed',
      reason: 'missing',
      detail: `Codex could not be started: ${error.message}`,
    }
  const how = signal ? `was ended by ${signal}` : `exited with code ${code ?? '?'}`
  const words = stderr.length > 0 ? ` Its last words: ${stderr.join(' / ').slice(0, 2000)}` : ''
  const detail = `Codex ${how} without giving a result.${words}`
  return { type: 'failed', reason: 'crash', detail }
}

/** It ends by itself when its input does, after it wrote its thread down; then the tree is ended. */
async function end(cli: CliProcess): Promise<void> {
  cli.closeInput()
  const timer = setTimeout(() => cli.kill(), EXIT_GRACE_MS)
  await cli.exited
  clearTimeout(timer)
}

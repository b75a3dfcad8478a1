import type { AgentEvent, RunSpec, TerminalEvent } from '../../contracts/agent.ts'
import type { AdapterIo, AgentSession } from '../adapter.ts'
import { type CliLine, type CliProcess, spawnCli } from '../cli-process.ts'
import { createCorrectionBox } from '../correction-box.ts'
import {
  adapterFailed,
  endByInterrupt,
  endBySilence,
  endOf,
  endWithoutResult,
  INTERRUPT_GRACE_MS,
  letEnd,
  TOO_LATE,
} from '../endings.ts'
import { createEventQueue } from '../event-queue.ts'
import { createSilenceWatch, type SilenceWatch } from '../silence-watch.ts'
import { configFlags } from './access.ts'
import { type Conversation, createConversation } from './conversation.ts'
import { openExecSession } from './exec-session.ts'
import { createJsonRpc, type JsonRpc } from './json-rpc.ts'
import { noticeOf } from './translator.ts'

const TITLE = 'Codex'
/** How long it may live on after its last turn and the end of its input: it has to write its thread down. */
const EXIT_GRACE_MS = 1500
const STDERR_KEPT_LINES = 5
/** A command's output or a diff is one line. What is longer is dropped and told of. */
const MAX_LINE_BYTES = 8 * 1024 * 1024

/** `program`: the `codex` to run as an app-server, or by `codex exec` where it is too old for that. */
export function openCodexSession(spec: RunSpec, io: AdapterIo, program: string): AgentSession {
  const queue = createEventQueue<AgentEvent>()
  const box = createCorrectionBox()
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
    return interrupted ? endByInterrupt(TITLE) : Promise.race([conversation.work(), ended])
  }
  const drive = async (at: Server) => {
    const said = await run(at).catch(adapterFailed)
    const waited = at.watch.bit()
    const terminal = waited ? endBySilence(TITLE, waited) : said
    over = terminal !== undefined
    at.watch.stop()
    at.conversation.stop()
    await letEnd(at.cli, EXIT_GRACE_MS)
    io.signal.removeEventListener('abort', stop)
    if (!terminal && !interrupted) fallback = openExecSession(spec, io, program)
    const last = terminal ?? endByInterrupt(TITLE)
    if (!fallback) await queue.push(endOf(TITLE, last, interrupted))
    queue.end()
  }
  async function* events(): AsyncGenerator<AgentEvent> {
    if (io.signal.aborted || interrupted) return yield endByInterrupt(TITLE)
    io.signal.addEventListener('abort', stop, { once: true })
    server = startServer(spec, program, queue.push)
    box.openTo(server.conversation.correct)
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
      if (over) return void queue.push(TOO_LATE)
      box.put(correction)
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
    return endWithoutResult(TITLE, await cli.exited, stderr)
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

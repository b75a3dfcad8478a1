import type {
  ClientConnection,
  LoadSessionResponse,
  NewSessionResponse,
  PromptResponse,
  ResumeSessionResponse,
} from '@agentclientprotocol/sdk'
import type { AgentEvent, RunSpec, TerminalEvent, Usage } from '../../contracts/agent.ts'
import type { AdapterIo, AgentSession, Correction } from '../adapter.ts'
import { type CliExit, type CliProcess, spawnCli } from '../cli-process.ts'
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
import { jsonAnswer, withShape } from '../json-answer.ts'
import { createSilenceWatch } from '../silence-watch.ts'
import { acpStream, MAX_LINE_BYTES } from './acp-stream.ts'
import { failureOf } from './failures.ts'
import { answerFor, READ_MODES } from './permission.ts'
import { createTranslator, usageOf } from './translator.ts'

const EXIT_GRACE_MS = 1000
const STDERR_KEPT_LINES = 5

export interface AcpProgram {
  title: string
  command: string
  args: readonly string[]
}

/** One process a run. A correction is the next prompt: at once for an agent that queues prompts, for the others when the turn is over. */
export function openAcpSession(spec: RunSpec, io: AdapterIo, program: AcpProgram): AgentSession {
  const queue = createEventQueue<AgentEvent>()
  const corrections: Correction[] = []
  let cli: CliProcess | undefined
  let cancel: (() => boolean) | undefined
  let sendNow: ((correction: Correction) => boolean) | undefined
  let interrupted = false
  let over = false

  const stop = () => {
    interrupted = true
    cli?.kill()
  }
  const run = async (): Promise<TerminalEvent> => {
    if (io.signal.aborted || interrupted) return endByInterrupt(program.title)
    io.signal.addEventListener('abort', stop, { once: true })
    cli = spawnCli({
      command: program.command,
      args: program.args,
      cwd: spec.cwd,
      env: spec.env,
      sandbox: spec.sandbox,
      maxLineBytes: MAX_LINE_BYTES,
    })
    const process = cli
    const talk = await openTalk(spec, { cli: process, push: queue.push, program })
    const watch = createSilenceWatch(spec.silenceSeconds, talk.isWaiting, () => process.kill())
    talk.onHeard(watch.heard)
    cancel = talk.cancel
    sendNow = talk.sendNow
    try {
      const exited = process.exited.then(() => undefined)
      const terminal = await Promise.race([talk.work(corrections), exited])
      const waited = watch.bit()
      if (waited) return endBySilence(program.title, waited)
      return terminal ?? talk.withoutResult(await process.exited)
    } finally {
      watch.stop()
    }
  }
  const drive = async () => {
    const terminal = await run().catch(adapterFailed)
    over = true
    await letEnd(cli, EXIT_GRACE_MS)
    io.signal.removeEventListener('abort', stop)
    await queue.push(endOf(program.title, terminal, interrupted))
    queue.end()
  }
  void drive()
  return {
    events: queue.items,
    correct(correction) {
      if (over) return void queue.push(TOO_LATE)
      void queue.push({ type: 'correction', id: correction.id, state: 'queued' })
      if (!sendNow?.(correction)) corrections.push(correction)
    },
    interrupt() {
      if (interrupted || over) return
      interrupted = true
      // one that was not asked yet must not be: that would cost tokens
      if (!cancel?.()) return cli?.kill()
      setTimeout(() => cli?.kill(), INTERRUPT_GRACE_MS).unref()
    },
  }
}

const notice = (text: string): AgentEvent => ({
  type: 'notice',
  level: 'warn',
  text: text.slice(0, 2000),
})

/** Corrections that the agent has, and its answer to them. */
interface Taken {
  ids: string[]
  response: Promise<PromptResponse>
}

interface TalkDeps {
  cli: CliProcess
  program: AcpProgram
  push(event: AgentEvent): Promise<void>
}

/** The conversation over the process's pipes. The SDK is loaded only here, so that no other run pays for it. */
async function openTalk(spec: RunSpec, { cli, program, push }: TalkDeps) {
  const { client, methods, PROTOCOL_VERSION } = await import('@agentclientprotocol/sdk')
  const translator = createTranslator(spec.cwd)
  const stderr: string[] = []
  let heard: () => void = () => undefined
  /** A session that is loaded tells all that was said in it before. */
  let replaying = false
  let sessionId = ''
  let total: Usage | undefined
  let applying: string[] = []
  let queues = false
  let asking = false
  /** Prompts that the agent has taken behind the one at work. */
  const taken: Taken[] = []

  const show = (events: readonly AgentEvent[]) => {
    for (const event of events) void push(event)
  }
  const app = client({ name: 'dispatch' })
    .onRequest(methods.client.session.requestPermission, ({ params }) => {
      show(translator.sees(params.toolCall))
      return answerFor(params, spec)
    })
    .onNotification(methods.client.session.update, ({ params }) => {
      if (replaying) return
      for (const id of applying.splice(0)) show([{ type: 'correction', id, state: 'applied' }])
      show(translator.read(params.update))
    })
  const stream = acpStream(cli, {
    heard: () => heard(),
    stderr(text) {
      if (text === '') return
      stderr.push(text)
      if (stderr.length > STDERR_KEPT_LINES) stderr.shift()
      show([notice(text)])
    },
    garbage: (text) => show([notice(text)]),
  })
  const connection: ClientConnection = app.connect(stream)
  const { agent } = connection

  const open = async () => {
    const { agentCapabilities } = await agent.request(methods.agent.initialize, {
      protocolVersion: PROTOCOL_VERSION,
      clientCapabilities: { fs: { readTextFile: false, writeTextFile: false }, terminal: false },
      clientInfo: { name: 'dispatch', version: '1' },
    })
    queues = queuesPrompts(agentCapabilities?._meta)
    const place = { cwd: spec.cwd, mcpServers: [] }
    const { resumeSessionId } = spec
    if (resumeSessionId === undefined) {
      const made = await agent.request<NewSessionResponse>(methods.agent.session.new, place)
      sessionId = made.sessionId
      return made.modes
    }
    sessionId = resumeSessionId
    const known = { ...place, sessionId }
    if (agentCapabilities?.sessionCapabilities?.resume)
      return (await agent.request<ResumeSessionResponse>(methods.agent.session.resume, known)).modes
    if (!agentCapabilities?.loadSession)
      throw { code: -32002, message: `${program.title} cannot continue a session.` }
    replaying = true
    const loaded = await agent.request<LoadSessionResponse>(methods.agent.session.load, known)
    replaying = false
    return loaded.modes
  }
  const begin = async () => {
    const modes = await open()
    await push({ type: 'session', sessionId, ...(spec.model ? { model: spec.model } : {}) })
    const mode = READ_MODES.find((id) => modes?.availableModes.some((each) => each.id === id))
    if (spec.access === 'read' && mode !== undefined)
      await agent.request(methods.agent.session.setMode, { sessionId, modeId: mode })
    // not stable in the protocol; who has no such method keeps its own model
    if (spec.model !== undefined)
      await agent
        .request('session/set_model', { sessionId, modelId: spec.model })
        .catch((error) =>
          show([notice(`The model could not be chosen: ${failureOf(error).detail}`)]),
        )
  }
  const ask = (text: string): Promise<PromptResponse> =>
    agent.request(methods.agent.session.prompt, { sessionId, prompt: [{ type: 'text', text }] })
  const answered = async (asked: Promise<PromptResponse>): Promise<PromptResponse> => {
    translator.turn()
    const response = await asked
    const usage = usageOf(response)
    total = total && usage ? add(total, usage) : (usage ?? total)
    // of the whole session: what an earlier run cost is in it when this one continues it
    const cost = spec.resumeSessionId === undefined ? translator.cost() : undefined
    if (total)
      show([{ type: 'usage', usage: total, ...(cost === undefined ? {} : { costUsd: cost }) }])
    return response
  }
  const sendTogether = (corrections: Correction[]): Taken | undefined => {
    if (corrections.length === 0) return undefined
    const waiting = corrections.splice(0)
    const ids = waiting.map(({ id }) => id)
    for (const id of ids) show([{ type: 'correction', id, state: 'delivered' }])
    return { ids, response: ask(told(waiting.map(({ text }) => text))) }
  }
  return {
    isWaiting: () => translator.toolsAtWork() === 0,
    onHeard(listener: () => void) {
      heard = listener
    },
    /** False when there is no turn yet that could be cancelled. */
    cancel(): boolean {
      if (asking) agent.notify(methods.agent.session.cancel, { sessionId }).catch(() => undefined)
      return asking
    },
    /** True when the agent takes it now, for its next request to the model. */
    sendNow({ id, text }: Correction): boolean {
      if (!queues || !asking) return false
      const response = ask(told([text]))
      // read in its turn; an agent that ends before is told of by its exit
      response.catch(() => undefined)
      taken.push({ ids: [id], response })
      show([{ type: 'correction', id, state: 'delivered' }])
      return true
    },
    /** From the handshake to the last answer. */
    async work(corrections: Correction[]): Promise<TerminalEvent | undefined> {
      try {
        await begin()
        asking = true
        let response = await answered(ask(withShape(spec.prompt, spec.outputSchema)))
        while (response.stopReason === 'end_turn') {
          const next = taken.shift() ?? sendTogether(corrections)
          if (!next) break
          applying = next.ids
          response = await answered(next.response)
        }
        return terminalOf(response, translator.lastWords(), spec)
      } catch (error) {
        // the end of the process is told by its exit
        return connection.signal.aborted ? undefined : failureOf(error)
      }
    },
    withoutResult: (exit: CliExit) => endWithoutResult(program.title, exit, stderr),
  }
}

const told = (texts: readonly string[]) =>
  texts.map((text) => `The user sent a new message while you were working:\n${text}`).join('\n\n')

/** The protocol has no word for it yet. */
const queuesPrompts = (meta: unknown): boolean =>
  (meta as { claudeCode?: { promptQueueing?: boolean } } | null | undefined)?.claudeCode
    ?.promptQueueing === true

function terminalOf({ stopReason }: PromptResponse, text: string, spec: RunSpec): TerminalEvent {
  switch (stopReason) {
    case 'end_turn': {
      const output = spec.outputSchema ? jsonAnswer(text) : undefined
      return { type: 'done', text, ...(output === undefined ? {} : { output }) }
    }
    case 'cancelled':
      return { type: 'failed', reason: 'interrupted', detail: 'The agent stopped its turn.' }
    case 'refusal':
      return { type: 'failed', reason: 'refused', detail: text || 'The model refused to answer.' }
    case 'max_tokens':
      return { type: 'failed', reason: 'context', detail: 'The answer did not fit the model.' }
    case 'max_turn_requests':
      return {
        type: 'failed',
        reason: 'crash',
        detail: 'The agent came to the limit of requests in a turn.',
      }
    default:
      return {
        type: 'failed',
        reason: 'crash',
        detail: `The agent stopped: ${String(stopReason satisfies never)}`,
      }
  }
}

const add = (a: Usage, b: Usage): Usage => ({
  input: a.input + b.input,
  output: a.output + b.output,
  cacheRead: a.cacheRead + b.cacheRead,
  cacheWrite: a.cacheWrite + b.cacheWrite,
  reasoning: a.reasoning + b.reasoning,
})

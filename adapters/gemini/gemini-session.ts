import type {
  AgentEvent,
  FailureReason,
  RunSpec,
  TerminalEvent,
  Usage,
} from '../../contracts/agent.ts'
import type { AdapterIo, AgentSession } from '../adapter.ts'
import { orAsItIs } from '../as-it-is.ts'
import { type CliLine, type CliProcess, spawnCli } from '../cli-process.ts'
import { createCorrectionBox } from '../correction-box.ts'
import {
  adapterFailed,
  endByInterrupt,
  endBySilence,
  endOf,
  INTERRUPT_GRACE_MS,
  TOO_LATE,
} from '../endings.ts'
import { createEventQueue } from '../event-queue.ts'
import { jsonAnswer, withShape } from '../json-answer.ts'
import { createSilenceWatch, type SilenceWatch } from '../silence-watch.ts'
import { type Corrections, createCorrections } from './corrections.ts'
import { failureOf, retryIn } from './failures.ts'
import { plainWords } from './plain-words.ts'
import { makeRunHome } from './run-home.ts'
import { createSessionRecord, mendSession, type SessionRecord } from './session-record.ts'
import { createTranslator, notice, type Translated, usageOf } from './translator.ts'
import type { GeminiMessage, ResultMessage } from './wire.ts'

const TITLE = 'Gemini CLI'
/** How long it may live on after its result. */
const EXIT_GRACE_MS = 1500
const STDERR_KEPT_LINES = 40
/** What it waits before it tries again, by its own account. */
const RETRY_DELAY_MS = 5000

/** `program`: the `gemini` to run. One process a run; `--resume` continues its session in the same folder only. */
export function openGeminiSession(spec: RunSpec, io: AdapterIo, program: string): AgentSession {
  const queue = createEventQueue<AgentEvent>()
  const sessionId = spec.resumeSessionId ?? spec.newSessionId
  let cli: CliProcess | undefined
  const box = createCorrectionBox()
  let interrupted = false
  let over = false

  const stop = () => {
    interrupted = true
    cli?.kill()
  }
  const run = async (): Promise<TerminalEvent> => {
    const home = makeRunHome(spec)
    if (spec.resumeSessionId) mendSession(home.sessions, spec.resumeSessionId)
    const record = createSessionRecord(home.sessions, sessionId)
    const corrections = createCorrections(home.exchange, (id, state) => {
      void queue.push({ type: 'correction', id, state })
    })
    box.openTo(corrections.add)
    cli = spawnCli({
      command: program,
      args: [...argsFor(spec), ...home.args],
      cwd: spec.cwd,
      env: { ...spec.env, ...home.env },
      sandbox: spec.sandbox,
    })
    cli.write(promptOf(spec))
    cli.closeInput()
    const talk = createTalk(spec, { record, corrections, push: queue.push })
    const watch = createSilenceWatch(spec.silenceSeconds, talk.isWaiting, () => cli?.kill())
    try {
      for await (const line of cli.lines) await hear(line, { talk, watch, cli })
    } finally {
      watch.stop()
      corrections.stop()
    }
    const exit = await cli.exited
    return talk.end({ exit, waited: watch.bit() })
  }
  const drive = async () => {
    const terminal = await run().catch(adapterFailed)
    over = true
    cli?.kill()
    io.signal.removeEventListener('abort', stop)
    await queue.push(endOf(TITLE, terminal, interrupted))
    queue.end()
  }
  async function* events(): AsyncGenerator<AgentEvent> {
    // Nothing is started before the reader has stored the session: it asks for the next event only then.
    yield { type: 'session', sessionId }
    if (io.signal.aborted || interrupted) return yield endByInterrupt(TITLE)
    io.signal.addEventListener('abort', stop, { once: true })
    void drive()
    yield* queue.items
  }
  return {
    events: events(),
    correct(correction) {
      if (over) return void queue.push(TOO_LATE)
      box.put(correction)
    },
    interrupt() {
      if (interrupted || over) return
      interrupted = true
      cli?.interrupt(INTERRUPT_GRACE_MS)
    },
  }
}

function argsFor({ resumeSessionId, newSessionId, model }: RunSpec): string[] {
  const session = resumeSessionId ? ['--resume', resumeSessionId] : ['--session-id', newSessionId]
  return ['--output-format', 'stream-json', ...session, ...(model ? ['--model', model] : [])]
}

/** By stdin: a command line is short, and everybody can read it. */
const promptOf = ({ prompt, outputSchema, cwd }: RunSpec): string =>
  plainWords(withShape(prompt, outputSchema), cwd)

interface Hearing {
  talk: Talk
  watch: SilenceWatch
  cli: CliProcess
}

async function hear(line: CliLine, { talk, watch, cli }: Hearing): Promise<void> {
  watch.heard()
  if (line.from === 'stderr') return talk.stderr(line.text)
  if (!(await talk.hear(line))) return
  const timer = setTimeout(() => cli.kill(), EXIT_GRACE_MS)
  void cli.exited.then(() => clearTimeout(timer))
}

interface TalkDeps {
  record: SessionRecord
  corrections: Corrections
  push(event: AgentEvent): Promise<void>
}

type Talk = ReturnType<typeof createTalk>
type Ending = { exit: Awaited<CliProcess['exited']>; waited: string | undefined }

/** What one process has said so far, and what follows from it. */
function createTalk(spec: RunSpec, { record, corrections, push }: TalkDeps) {
  const translator = createTranslator(spec.cwd)
  const stderr: string[] = []
  let result: ResultMessage | undefined
  let shown: Usage | undefined

  const look = async () => {
    const { usage, summaries } = record.read()
    for (const summary of summaries) await push({ type: 'compaction', trigger: 'auto', summary })
    await showUsage(usage)
  }
  const showUsage = async (usage: Usage | undefined) => {
    if (!usage) return
    // the result knows of more calls than the record: no figure ever shrinks
    shown = shown ? largest(shown, usage) : usage
    await push({ type: 'usage', usage: shown })
  }
  const garbage = async ({ text, dropped, from }: CliLine) => {
    if (dropped > 0)
      await push(
        notice(`A line of the agent's ${from} was too long; ${dropped} bytes were dropped.`),
      )
    else if (text !== '') await push(notice(text))
  }
  return {
    isWaiting: () => translator.toolsAtWork() === 0,
    async stderr(text: string) {
      if (text.trim() === '' || NOISE.test(text)) return
      stderr.push(text)
      if (stderr.length > STDERR_KEPT_LINES) stderr.shift()
      const retry = retryIn(text)
      const delayMs = RETRY_DELAY_MS
      if (retry) await push({ type: 'retry', ...retry, delayMs, detail: text.slice(0, 500) })
      else await push(notice(text))
    },
    /** True at the end of what it has to say. */
    async hear(line: CliLine): Promise<boolean> {
      const message = line.dropped > 0 ? undefined : parse(line.text)
      if (!message) await garbage(line)
      if (!message || result) return false
      // before the result, with which the next request is handed over: the answer that asked for the tool is written down by now
      if (message.type === 'tool_result') await look()
      let translated: Translated = { events: [] }
      const events = orAsItIs(message, () => {
        translated = translator.read(message)
        return translated.events
      })
      if (translated.moment === 'hooks_ran') corrections.hooksRan()
      if (translated.moment === 'model_spoke') corrections.modelSpoke()
      for (const event of events) await push(event)
      result = translated.result
      return result !== undefined
    },
    async end({ exit, waited }: Ending): Promise<TerminalEvent> {
      await look()
      if (result?.stats) await showUsage(usageOf(result.stats))
      if (waited) return endBySilence(TITLE, waited)
      if (!result) return failureOf({ exit, stderr })
      if (result.status !== 'success')
        return failureOf({ message: result.error?.message ?? 'unknown error', exit, stderr })
      const stopped = translator.stoppedBy()
      if (stopped !== undefined) return stoppedEarly(stopped)
      return doneWith(translator.lastWords(), spec.outputSchema !== undefined)
    },
  }
}

/** It says success then too: a loop that it saw, an answer that was blocked or empty. */
function stoppedEarly(why: string): TerminalEvent {
  return {
    type: 'failed',
    reason: reasonToStop(why),
    detail: `Gemini CLI stopped before the work was done: ${why}`,
  }
}

function reasonToStop(why: string): FailureReason {
  if (/loop detected/i.test(why)) return 'loop'
  return /safety|recitation|blocked/i.test(why) ? 'refused' : 'crash'
}

function doneWith(text: string, structured: boolean): TerminalEvent {
  const output = structured ? jsonAnswer(text) : undefined
  return { type: 'done', text, ...(output === undefined ? {} : { output }) }
}

/** Said at every start, or a part of a stack: of no use to anybody. */
const NOISE =
  /^(?:Warning: 256-color|Ripgrep is not available|Project hooks disabled|\[STARTUP\]|Loaded cached credentials|Approval mode overridden| {4}at )/

function parse(text: string): GeminiMessage | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    const value = JSON.parse(text) as GeminiMessage
    return typeof value.type === 'string' ? value : undefined
  } catch {
    return undefined
  }
}

function largest(a: Usage, b: Usage): Usage {
  return {
    input: Math.max(a.input, b.input),
    output: Math.max(a.output, b.output),
    cacheRead: Math.max(a.cacheRead, b.cacheRead),
    cacheWrite: Math.max(a.cacheWrite, b.cacheWrite),
    reasoning: Math.max(a.reasoning, b.reasoning),
  }
}

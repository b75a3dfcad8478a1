import { relative } from 'node:path'
import type { AgentEvent, Usage } from '../../contracts/agent.ts'
import { reasonOf } from './failures.ts'
import { createUsageMeter } from './usage-meter.ts'
import type {
  FileChange,
  Item,
  Notification,
  RateLimits,
  RawItem,
  TokenCounts,
  TokenUsage,
  TurnError,
} from './wire.ts'

const MAX_INPUT_CHARS = 4000
const MAX_NOTICE_CHARS = 2000

/** Turns the app-server's notifications about one thread into events, and remembers what the end of the turn needs. */
export interface Translator {
  /** Everything but the end of a turn and what became of corrections, which the session follows itself. */
  read(notification: Notification): AgentEvent[]
  /** The turn that counts from now on; usage of earlier ones is not this run's. */
  turnStarted(turnId: string): void
  /** Tools that were started and have not ended. */
  toolsAtWork(): number
  /** The last message that the agent ended: its answer. */
  answer(): string
  limits(): RateLimits | undefined
}

/** `recorded`: of a resumed thread, its total as it is written down. */
export function createTranslator(
  cwd: string,
  recorded: () => TokenCounts | undefined = () => undefined,
): Translator {
  const meter = createUsageMeter()
  fromRecord() // what was before this run
  const streamed = new Set<string>()
  const running = new Set<string>()
  const raw = createRawCalls()
  let turn: string | undefined
  let answer = ''
  let limits: RateLimits | undefined
  let attempts = 0

  function started(item: Item): AgentEvent[] {
    const tool = toolOf(item, cwd)
    if (!tool || !raw.shows(item.id)) return []
    running.add(item.id)
    return [{ type: 'tool', callId: item.id, ...tool }]
  }

  function completed(item: Item): AgentEvent[] {
    if (item.type === 'agentMessage') {
      answer = item.text
      attempts = 0
      // an older version, or one that answered at once, streams nothing
      return streamed.delete(item.id) || item.text === '' ? [] : [{ type: 'text', text: item.text }]
    }
    if (item.type === 'contextCompaction') return [{ type: 'compaction', trigger: 'auto' }]
    const tool = toolOf(item, cwd)
    if (!tool) return []
    // before the result, with which the next request is handed over
    if (running.delete(item.id)) return [...written(), ...resultOf(item, cwd)]
    return raw.shows(item.id)
      ? [{ type: 'tool', callId: item.id, ...tool }, ...resultOf(item, cwd)]
      : []
  }

  function usage({ turnId, tokenUsage }: { turnId: string; tokenUsage: TokenUsage }): AgentEvent[] {
    if (turnId !== turn) {
      meter.before(tokenUsage.total)
      return []
    }
    const told = meter.update(tokenUsage.total, tokenUsage.last)
    const now = fromRecord() ?? told
    return now ? [{ type: 'usage', usage: now }] : []
  }

  /** What is written down of a resumed thread, where that is news. */
  function written(): AgentEvent[] {
    const now = fromRecord()
    return now ? [{ type: 'usage', usage: now }] : []
  }

  function fromRecord(): Usage | undefined {
    const total = recorded()
    return total && meter.recorded(total)
  }

  function retry(error: TurnError): AgentEvent {
    const detail = error.additionalDetails || error.message
    attempts += 1
    const reason = reasonOf(error.codexErrorInfo ?? null, `${error.message} ${detail}`)
    return { type: 'retry', attempt: attempts, reason, delayMs: 0, detail: detail.slice(0, 2000) }
  }

  return {
    turnStarted(turnId) {
      turn = turnId
    },
    toolsAtWork: () => running.size,
    answer: () => answer,
    limits: () => limits,
    read(notification) {
      switch (notification.method) {
        case 'item/started':
          return started(notification.params.item)
        case 'item/completed':
          return completed(notification.params.item)
        case 'item/agentMessage/delta':
          streamed.add(notification.params.itemId)
          return [{ type: 'text', text: notification.params.delta }]
        case 'item/reasoning/textDelta':
        case 'item/reasoning/summaryTextDelta':
          return [{ type: 'reasoning', text: notification.params.delta }]
        case 'thread/tokenUsage/updated':
          return usage(notification.params)
        case 'rawResponse/completed': {
          const counts = notification.params.usage
          return counts ? [{ type: 'usage', usage: meter.response(counts) }] : []
        }
        case 'rawResponseItem/completed':
          return raw.read(notification.params.item)
        case 'account/rateLimits/updated':
          limits = notification.params.rateLimits
          return []
        case 'error':
          return notification.params.willRetry ? [retry(notification.params.error)] : []
        case 'turn/completed':
          running.clear()
          return written()
        default:
          return other(notification)
      }
    },
  }
}

/**
 * Not every use of a tool becomes an item: not a patch that Codex refuses in a read-only run, and at times not a command that ends at once.
 * The conversation, as the provider has it, shows the call and its output all the same (not in a resumed thread).
 */
function createRawCalls() {
  const calls = new Map<string, Tool & { shownBefore: number }>()
  const told = new Set<string>()
  let shown = 0

  function outputOf(callId: string, output: unknown): AgentEvent[] {
    const call = calls.get(callId)
    if (!call) return []
    calls.delete(callId)
    // a program that uses tools: those were shown
    if (call.name === 'exec' && shown > call.shownBefore) return []
    told.add(callId)
    const said = typeof output === 'string' ? output : JSON.stringify(output ?? '')
    const code = /Process exited with code (\d+)/.exec(said)?.[1] ?? '0'
    const ok = code === '0' && !/\brejected\b/.test(said)
    return [
      { type: 'tool', callId, name: call.name, input: call.input },
      { type: 'tool_result', callId, ok, output: said },
    ]
  }

  return {
    /** False for an item that came after its call was told. */
    shows(callId: string): boolean {
      calls.delete(callId)
      shown += 1
      return !told.has(callId)
    },
    read({ call_id: callId, name, arguments: args, input, output }: RawItem): AgentEvent[] {
      if (callId === undefined) return []
      if (name === undefined) return outputOf(callId, output)
      calls.set(callId, { ...rawTool(name, input ?? args ?? ''), shownBefore: shown })
      return []
    },
  }
}

function rawTool(name: string, input: string): Tool {
  const command = name === 'exec_command' ? /"cmd":("(?:[^"\\]|\\.)*")/.exec(input)?.[1] : undefined
  if (command === undefined) return { name, input: input.slice(0, MAX_INPUT_CHARS) }
  return { name: 'shell', input: String(JSON.parse(command)).slice(0, MAX_INPUT_CHARS) }
}

type Tool = { name: string; input: string }

/** Undefined for what is no use of a tool. */
function toolOf(item: Item, cwd: string): Tool | undefined {
  switch (item.type) {
    case 'commandExecution':
      return { name: 'shell', input: commandOf(item).slice(0, MAX_INPUT_CHARS) }
    case 'fileChange':
      return { name: 'apply_patch', input: item.changes.map((c) => inside(c.path, cwd)).join('\n') }
    case 'mcpToolCall': {
      const input = JSON.stringify(item.arguments ?? {}).slice(0, MAX_INPUT_CHARS)
      return { name: `${item.server}.${item.tool}`, input }
    }
    case 'webSearch':
      return { name: 'web_search', input: item.query ?? '' }
    default:
      return undefined
  }
}

/** The command as the model gave it, without the shell that Codex runs it in. */
function commandOf({ command, commandActions }: Item & { type: 'commandExecution' }): string {
  const [only, ...more] = commandActions ?? []
  return only?.command && more.length === 0 ? only.command : command
}

function resultOf(item: Item, cwd: string): AgentEvent[] {
  const callId = item.id
  switch (item.type) {
    case 'commandExecution': {
      const { status, exitCode, aggregatedOutput } = item
      const ok = status === 'completed' && (exitCode ?? 0) === 0
      const output = aggregatedOutput ?? (status === 'declined' ? 'refused' : '')
      return [{ type: 'tool_result', callId, ok, output }]
    }
    case 'fileChange': {
      const ok = item.status === 'completed'
      const result: AgentEvent = { type: 'tool_result', callId, ok, output: item.status }
      return ok ? [result, ...item.changes.map((change) => fileEvent(change, cwd))] : [result]
    }
    case 'mcpToolCall': {
      const { status, result, error } = item
      const output = error?.message ?? JSON.stringify(result ?? '')
      return [{ type: 'tool_result', callId, ok: status === 'completed', output }]
    }
    default:
      return [{ type: 'tool_result', callId, ok: true, output: '' }]
  }
}

const CHANGES: Readonly<Record<string, 'create' | 'edit' | 'delete'>> = {
  add: 'create',
  update: 'edit',
  delete: 'delete',
}

export function fileEvent({ path, kind }: FileChange, cwd: string): AgentEvent {
  const word = typeof kind === 'string' ? kind : kind.type
  return { type: 'file', path: inside(path, cwd), change: CHANGES[word] ?? 'edit' }
}

function inside(path: string, cwd: string): string {
  const short = relative(cwd, path)
  return path.startsWith('/') && !short.startsWith('..') && short !== '' ? short : path
}

/** Codex brings its own bubblewrap where the machine has none, and says so at each start. */
const OF_NO_USE = /could not find bubblewrap on PATH/
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape sequences of a terminal's colours
const COLOURS = /\u001b\[[0-9;]*m/g

/** A line of the program for people: stderr, a warning. Empty for one that says nothing new. */
export function noticeOf(text: string, level: 'info' | 'warn' = 'warn'): AgentEvent[] {
  const plain = text.replace(COLOURS, '')
  if (plain.trim() === '' || OF_NO_USE.test(plain)) return []
  return [{ type: 'notice', level, text: plain.slice(0, MAX_NOTICE_CHARS) }]
}

const WARNINGS: readonly string[] = [
  'warning',
  'configWarning',
  'guardianWarning',
  'model/rerouted',
  'deprecationNotice',
] satisfies Notification['method'][]

/** Repeats and what is told better elsewhere: never shown. */
const SILENT =
  /^(?:thread|turn|account|skills|remoteControl|app|mcpServer|hook|serverRequest|fs|project)\/|^item\/.*(?:[dD]elta|updated|Updated|Added)$|^rawResponse/

/** Warnings; and what a later version says, kept as it is and never interpreted. */
function other({
  method,
  params,
}: Notification | { method: string; params: object }): AgentEvent[] {
  if (WARNINGS.includes(method)) {
    const { message, summary } = params as { message?: string; summary?: string }
    return noticeOf(message ?? summary ?? JSON.stringify(params))
  }
  if (SILENT.test(method)) return []
  return noticeOf(JSON.stringify({ method, params }).slice(0, 500), 'info')
}

import { relative } from 'node:path'
import type { AgentEvent, TerminalEvent } from '../../contracts/agent.ts'
import { orAsItIs } from '../as-it-is.ts'
import { patternIn } from '../pattern-in.ts'
import { type FailureClues, failureOf, reasonOfError } from './failures.ts'
import { createUsageMeter } from './usage-meter.ts'
import type {
  AssistantMessage,
  ClaudeMessage,
  ContentBlock,
  ResultMessage,
  StreamEvent,
  SystemMessage,
  UserMessage,
} from './wire.ts'

/** The tool by which Claude Code gives a structured answer: its call is the answer and no work. */
const ANSWER_TOOL = 'StructuredOutput'
const MAX_NOTICE_CHARS = 2000
const MAX_INPUT_CHARS = 8000
/** Known, and of no interest to a person or to Dispatch. */
const SILENT = new Set(
  `status keep_alive hook_started hook_progress hook_response tool_progress thinking_tokens session_state_changed
  commands_changed background_tasks_changed task_started task_updated task_progress task_notification prompt_suggestion
  files_persisted tool_use_summary auth_status control_request_progress local_command_output active_goal`.split(
    /\s+/,
  ),
)

/** Turns one session's messages into events. Pure but for what it remembers of the session so far. */
export interface Translator {
  read(message: ClaudeMessage): AgentEvent[]
  /** Tools that are at work now: silence is theirs then. */
  toolsAtWork(): number
  /** True once the CLI said that it reports what becomes of messages sent to it. */
  reportsMessages(): boolean
}

export interface TranslatorOptions {
  cwd: string
  /** Whether a structured answer was asked for. */
  structured: boolean
  onLifecycle(uuid: string, state: string): void
}

export function createTranslator(options: TranslatorOptions): Translator {
  const meter = createUsageMeter()
  const streamed = new Set<string>()
  const running = new Set<string>()
  const answers = new Set<string>()
  let clues: FailureClues = {}
  let compacted: 'auto' | 'manual' | undefined
  let reports = false

  function system(message: SystemMessage): AgentEvent[] {
    switch (message.subtype) {
      case 'init': {
        reports = message.capabilities?.includes('msg_lifecycle_v1') === true
        const { session_id: sessionId, model } = message
        return [{ type: 'session', sessionId, ...(model ? { model } : {}) }]
      }
      case 'api_retry': {
        const { attempt, max_retries: max, retry_delay_ms, error_status, error } = message
        const reason = reasonOfError(error, error_status) ?? 'network'
        const detail = `${error}${error_status ? ` (HTTP ${error_status})` : ''}, try ${attempt} of ${max}`
        // it will not get better: the same key is refused each time
        if (reason === 'auth') return [{ type: 'failed', reason, detail: AUTH_DETAIL(detail) }]
        return [{ type: 'retry', attempt, reason, delayMs: Math.round(retry_delay_ms), detail }]
      }
      case 'compact_boundary':
        compacted = message.compact_metadata?.trigger === 'manual' ? 'manual' : 'auto'
        return []
      case 'permission_denied': {
        const why = message.message ?? message.reason ?? ''
        return [notice(`Refused: ${message.tool_name ?? 'a tool'}. ${why}`)]
      }
      default:
        return unknown(message)
    }
  }

  function stream({ event, parent_tool_use_id }: StreamEvent): AgentEvent[] {
    if (event.type === 'message_start') streamed.add(event.message.id)
    if (event.type !== 'content_block_delta') {
      const usage = meter.streamed(event)
      return usage ? [usage] : []
    }
    const { delta } = event
    if (delta.type === 'text_delta' && !parent_tool_use_id)
      return [{ type: 'text', text: delta.text }]
    return delta.type === 'thinking_delta' ? [{ type: 'reasoning', text: delta.thinking }] : []
  }

  function assistant({ message, error, parent_tool_use_id }: AssistantMessage): AgentEvent[] {
    if (error) clues = { ...clues, error }
    return message.content.flatMap((block): AgentEvent[] => {
      if (block.type === 'tool_use') return toolUse(block)
      if (block.type !== 'text' || streamed.has(message.id) || parent_tool_use_id) return []
      return error ? [notice(block.text)] : [{ type: 'text', text: block.text }]
    })
  }

  function toolUse(block: ContentBlock & { type: 'tool_use' }): AgentEvent[] {
    const { id: callId, name, input } = block
    if (name === ANSWER_TOOL) {
      answers.add(callId)
      return []
    }
    running.add(callId)
    return [{ type: 'tool', callId, name, input: describeInput(input, options.cwd) }]
  }

  function user({ message, tool_use_result: told }: UserMessage): AgentEvent[] {
    const { content } = message
    if (compacted) {
      const trigger = compacted
      compacted = undefined
      return [{ type: 'compaction', trigger, summary: plainText(content) }]
    }
    if (typeof content === 'string') return []
    return content.flatMap((block): AgentEvent[] => {
      if (block.type !== 'tool_result') return []
      const callId = block.tool_use_id
      running.delete(callId)
      if (answers.delete(callId)) return []
      const output = plainText(block.content ?? '')
      const ok = block.is_error !== true
      const result: AgentEvent = { type: 'tool_result', callId, ok, output }
      const file = ok ? fileChange(told, options.cwd) : undefined
      return file ? [result, file] : [result]
    })
  }

  function result(message: ResultMessage): AgentEvent[] {
    // first the answer: tokens that cannot be read are no reason to lose it
    const terminal = terminalOf(message, clues, options.structured)
    running.clear()
    clues = {}
    return [...orAsItIs(message, () => [meter.finished(message)]), terminal]
  }

  return {
    toolsAtWork: () => running.size,
    reportsMessages: () => reports,
    read(message) {
      switch (message.type) {
        case 'system':
          return system(message)
        case 'stream_event':
          return stream(message)
        case 'assistant':
          return assistant(message)
        case 'user':
          return user(message)
        case 'result':
          return result(message)
        case 'command_lifecycle':
          options.onLifecycle(message.command_uuid, message.state)
          return []
        case 'rate_limit_event': {
          const { status, resetsAt } = message.rate_limit_info
          if (status === 'rejected') clues = { ...clues, resetsAt }
          return []
        }
        default:
          return unknown(message)
      }
    },
  }
}

const AUTH_DETAIL = (detail: string) =>
  `Claude Code is not logged in, or its key is refused (${detail}). Log in with: claude auth login`

const notice = (text: string): AgentEvent => ({
  type: 'notice',
  level: 'warn',
  text: text.slice(0, MAX_NOTICE_CHARS),
})

/** Another version's message: kept as it is, never interpreted. */
function unknown(message: { type: string; subtype?: string }): AgentEvent[] {
  if (SILENT.has(message.subtype ?? message.type)) return []
  const text = JSON.stringify(message).slice(0, 500)
  return [{ type: 'notice', level: 'info', text }]
}

function terminalOf(
  message: ResultMessage,
  clues: FailureClues,
  structured: boolean,
): TerminalEvent {
  if (message.is_error || message.subtype !== 'success') return failureOf(message, clues)
  const text = message.result ?? ''
  if (message.stop_reason === 'refusal')
    return { type: 'failed', reason: 'refused', detail: text || 'The model refused to answer.' }
  if (!structured) return { type: 'done', text }
  const output = message.structured_output ?? jsonIn(text)
  return { type: 'done', text, ...(output === undefined ? {} : { output }) }
}

/** Some answer in words although the tool is there; what is not JSON is left to the check of the answer. */
function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function plainText(content: string | { type: string; text?: string }[]): string {
  if (typeof content === 'string') return content
  return content.map(({ type, text }) => (type === 'text' ? (text ?? '') : `[${type}]`)).join('\n')
}

/** One line for a person: the command, the file, or the pattern and where it is looked for, else the input as JSON. */
function describeInput(input: Record<string, unknown>, cwd: string): string {
  const { command, file_path: file, notebook_path: notebook, pattern, path: where, glob } = input
  const path = file ?? notebook
  const places = [typeof where === 'string' ? inside(where, cwd) : undefined, glob]
  const known =
    typeof path === 'string' ? inside(path, cwd) : (command ?? patternIn(pattern, places))
  const text = typeof known === 'string' ? known : JSON.stringify(input)
  return text.slice(0, MAX_INPUT_CHARS)
}

/** Write and Edit tell what they changed; what a command changed only git knows. */
function fileChange(told: unknown, cwd: string): AgentEvent | undefined {
  if (typeof told !== 'object' || told === null || !('filePath' in told)) return undefined
  const { filePath, type, oldString, structuredPatch } = told as Record<string, unknown>
  const changed = type === 'create' || type === 'update' || oldString !== undefined
  if (typeof filePath !== 'string' || !(changed || structuredPatch !== undefined)) return undefined
  return {
    type: 'file',
    path: inside(filePath, cwd),
    change: type === 'create' ? 'create' : 'edit',
  }
}

function inside(path: string, cwd: string): string {
  const short = relative(cwd, path)
  return path.startsWith('/') && !short.startsWith('..') && short !== '' ? short : path
}

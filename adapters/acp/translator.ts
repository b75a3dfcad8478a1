import { isAbsolute, relative } from 'node:path'
import type { PromptResponse, SessionUpdate, ToolCallUpdate } from '@agentclientprotocol/sdk'
import type { AgentEvent, Usage } from '../../contracts/agent.ts'

const MAX_CHARS = 8000

/** Turns a session's updates into events. Pure but for what it remembers of the session so far. */
export interface Translator {
  read(update: SessionUpdate): AgentEvent[]
  /** A call may be told of by its request for permission alone. */
  sees(call: ToolCallUpdate): AgentEvent[]
  toolsAtWork(): number
  /** The model's words since its last tool. */
  lastWords(): string
  /** Another turn begins: no tool of the one before is at work any more, told or not. */
  turn(): void
  /** The session's cost so far by the agent's own account. */
  cost(): number | undefined
}

export function createTranslator(cwd: string): Translator {
  const running = new Set<string>()
  const seen = new Set<string>()
  /** Calls whose input is still to come. */
  const begun = new Map<string, ToolCallUpdate>()
  /** What a call changes may be told before its end alone. */
  const diffs = new Map<string, ToolCallUpdate>()
  let words = ''
  let cost: number | undefined

  function sees(call: ToolCallUpdate): AgentEvent[] {
    const { toolCallId: callId } = call
    if (seen.has(callId)) return []
    running.add(callId)
    words = ''
    // an update tells only what is new, and at times a longer title
    const { title, kind } = begun.get(callId) ?? call
    const known = { ...begun.get(callId), ...call }
    begun.set(callId, known)
    if (isBeingWritten(known)) return []
    begun.delete(callId)
    seen.add(callId)
    const input =
      known.rawInput === undefined ? (known.title ?? '') : JSON.stringify(known.rawInput)
    return [
      { type: 'tool', callId, name: title ?? kind ?? 'tool', input: input.slice(0, MAX_CHARS) },
    ]
  }

  function toolCall(call: ToolCallUpdate): AgentEvent[] {
    const { toolCallId: callId, status } = call
    const first = sees(call)
    if (call.content?.some(({ type }) => type === 'diff')) diffs.set(callId, call)
    if (status !== 'completed' && status !== 'failed') return first
    if (!running.delete(callId)) return first
    const ok = status === 'completed'
    const result: AgentEvent = { type: 'tool_result', callId, ok, output: outputOf(call) }
    return [...first, result, ...(ok ? filesOf(diffs.get(callId) ?? call, cwd) : [])]
  }

  return {
    sees,
    toolsAtWork: () => running.size,
    lastWords: () => words,
    turn() {
      words = ''
      running.clear()
    },
    cost: () => cost,
    read(update) {
      switch (update.sessionUpdate) {
        case 'agent_message_chunk': {
          const text = update.content.type === 'text' ? update.content.text : ''
          words += text
          return text === '' ? [] : [{ type: 'text', text }]
        }
        case 'agent_thought_chunk':
          return update.content.type === 'text'
            ? [{ type: 'reasoning', text: update.content.text }]
            : []
        case 'tool_call':
        case 'tool_call_update':
          return toolCall(update)
        case 'usage_update':
          if (update.cost?.currency === 'USD') cost = update.cost.amount
          return []
        case 'compaction_update':
          return 'status' in update && update.status === 'completed'
            ? [{ type: 'compaction', trigger: 'auto' }]
            : []
        case 'notice':
          return [{ type: 'notice', level: 'info', text: JSON.stringify(update).slice(0, 2000) }]
        // of the agent's own state, or another version's: nothing that a person misses
        default:
          return []
      }
    },
  }
}

/** The model streams its call: the agent tells of it before its input is there. */
function isBeingWritten({ rawInput, status }: ToolCallUpdate): boolean {
  return status === 'pending' && JSON.stringify(rawInput) === '{}'
}

function outputOf({ rawOutput, content, title }: ToolCallUpdate): string {
  const texts = (content ?? []).flatMap((part) =>
    part.type === 'content' && part.content.type === 'text' ? [part.content.text] : [],
  )
  if (texts.length > 0) return texts.join('\n')
  if (typeof rawOutput === 'string') return rawOutput
  return rawOutput === undefined ? (title ?? '') : JSON.stringify(rawOutput)
}

function filesOf({ content }: ToolCallUpdate, cwd: string): AgentEvent[] {
  return (content ?? []).flatMap((part): AgentEvent[] => {
    if (part.type !== 'diff') return []
    const short = relative(cwd, part.path)
    const path = isAbsolute(part.path) && !short.startsWith('..') && short ? short : part.path
    return [{ type: 'file', path, change: part.oldText ? 'edit' : 'create' }]
  })
}

/** What agents add to the end of a turn; the protocol has no stable place for it. Absent: unknown. */
interface Told {
  usage?: {
    inputTokens?: number
    outputTokens?: number
    cachedReadTokens?: number | null
    cachedWriteTokens?: number | null
    thoughtTokens?: number | null
  } | null
  _meta?: {
    quota?: { token_count?: { input_tokens?: number; output_tokens?: number } | null }
  } | null
}

/** Tokens of one turn; undefined where the agent does not tell what it read and what it said. */
export function usageOf(response: PromptResponse): Usage | undefined {
  const { usage, _meta } = response as Told
  const count = _meta?.quota?.token_count
  const input = usage ? usage.inputTokens : count?.input_tokens
  const output = usage ? usage.outputTokens : count?.output_tokens
  if (typeof input !== 'number' || typeof output !== 'number') return undefined
  return {
    ...{ input, output },
    cacheRead: usage?.cachedReadTokens ?? 0,
    cacheWrite: usage?.cachedWriteTokens ?? 0,
    reasoning: usage?.thoughtTokens ?? 0,
  }
}

import { statSync } from 'node:fs'
import { isAbsolute, relative, resolve } from 'node:path'
import { type AgentEvent, NO_USAGE, type Usage } from '../../contracts/agent.ts'
import { patternIn } from '../pattern-in.ts'
import { TURN_GOES_ON } from './corrections.ts'
import type { GeminiMessage, ResultMessage, ResultStats } from './wire.ts'

const MAX_INPUT_CHARS = 8000
const MAX_NOTICE_CHARS = 2000
const WRITES = new Set(['write_file', 'replace'])
/** The kernel gives a file the time of its last tick. */
const TICK_MS = 20

/** What a line means besides the events: the end of the run's output, or a moment that matters for corrections. */
export interface Translated {
  events: AgentEvent[]
  moment?: 'model_spoke' | 'hooks_ran'
  result?: ResultMessage
}

/** Turns one process's messages into events. Pure but for what it remembers of the run so far. */
export interface Translator {
  read(message: GeminiMessage): Translated
  /** Tools that are at work now: silence is theirs then. */
  toolsAtWork(): number
  /** The model's words since the last tool or turn. */
  lastWords(): string
  /** Why a result that says success is none: a warning after which nothing came any more, whatever its severity. */
  stoppedBy(): string | undefined
}

export function createTranslator(cwd: string): Translator {
  const calls = new Map<string, AgentEvent & { type: 'file' }>()
  const running = new Set<string>()
  let words = ''
  let stopped: string | undefined

  function toolUse(message: GeminiMessage & { type: 'tool_use' }): Translated {
    const { tool_id: callId, tool_name: name, parameters = {}, timestamp } = message
    running.add(callId)
    words = ''
    stopped = undefined
    const { file_path: file } = parameters
    if (WRITES.has(name) && typeof file === 'string') {
      const change = wasThere(resolve(cwd, file), timestamp) ? 'edit' : 'create'
      calls.set(callId, { type: 'file', path: inside(file, cwd), change })
    }
    const input = describeInput(parameters, cwd)
    return { events: [{ type: 'tool', callId, name, input }], moment: 'model_spoke' }
  }

  function toolResult(message: GeminiMessage & { type: 'tool_result' }): Translated {
    const { tool_id: callId, status, output, error } = message
    running.delete(callId)
    const ok = status === 'success'
    const result: AgentEvent = {
      type: 'tool_result',
      callId,
      ok,
      output: output ?? error?.message ?? '',
    }
    const file = calls.get(callId)
    return { events: ok && file ? [result, file] : [result], moment: 'hooks_ran' }
  }

  function warning({ message }: GeminiMessage & { type: 'error' }): Translated {
    words = ''
    if (message.startsWith(TURN_GOES_ON)) return { events: [], moment: 'hooks_ran' }
    stopped = message
    return { events: [notice(message)] }
  }

  return {
    toolsAtWork: () => running.size,
    lastWords: () => words,
    stoppedBy: () => stopped,
    read(message) {
      switch (message.type) {
        case 'init': {
          const { session_id: sessionId, model } = message
          return { events: [{ type: 'session', sessionId, ...(model ? { model } : {}) }] }
        }
        case 'message':
          if (message.role !== 'assistant') return { events: [] }
          words += message.content
          stopped = undefined
          return { events: [{ type: 'text', text: message.content }], moment: 'model_spoke' }
        case 'tool_use':
          return toolUse(message)
        case 'tool_result':
          return toolResult(message)
        case 'error':
          return warning(message)
        case 'result':
          running.clear()
          return { events: [], result: message }
        default:
          // another version's message: kept as it is, never interpreted
          message satisfies never
          return { events: [notice(JSON.stringify(message), 'info')] }
      }
    },
  }
}

/** Whether a file was there before a tool: when the line that says so is read, the tool may have made it. */
function wasThere(path: string, began: string | undefined): boolean {
  try {
    const { birthtimeMs } = statSync(path)
    return began === undefined || birthtimeMs < Date.parse(began) - TICK_MS
  } catch {
    return false // nothing there, or nothing that can be looked at
  }
}

/** A line that is no message. */
export const notice = (text: string, level: 'info' | 'warn' = 'warn'): AgentEvent => ({
  type: 'notice',
  level,
  text: text.slice(0, MAX_NOTICE_CHARS),
})

/** Tokens of the whole process, calls for its own purposes included. */
export function usageOf(stats: ResultStats | undefined): Usage {
  if (!stats) return { ...NO_USAGE }
  const { total_tokens: total = 0, input_tokens: all = 0, output_tokens: said = 0 } = stats
  const { cached = 0, input = all - cached } = stats
  const reasoning = Math.max(0, total - all - said)
  return { input, output: said + reasoning, cacheRead: cached, cacheWrite: 0, reasoning }
}

/**
 * One line for a person: the command, the file (of an edit with what it replaces, without which all edits that fail look the same), or the
 * pattern and where it is looked for, else the input as JSON.
 */
function describeInput(input: Record<string, unknown>, cwd: string): string {
  const { command, file_path: file, dir_path: folder, pattern, include_pattern: include } = input
  const { old_string: replaced } = input
  const path = file ?? folder
  const place = typeof path === 'string' ? inside(path, cwd) : undefined
  const edited = typeof replaced === 'string' && place ? `${place}: ${oneLine(replaced)}` : place
  const known = command ?? patternIn(pattern, [place, include]) ?? edited
  const text = typeof known === 'string' ? known : JSON.stringify(input)
  return text.slice(0, MAX_INPUT_CHARS)
}

const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').trim()

function inside(path: string, cwd: string): string {
  if (!isAbsolute(path)) return path
  const short = relative(cwd, path)
  return short.startsWith('..') || short === '' ? path : short
}

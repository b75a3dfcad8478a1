import type { AgentEvent, RunSpec } from '../../contracts/agent.ts'
import { failureOf } from './failures.ts'
import { totalInRollout } from './rollout.ts'
import { answerIn } from './strict-schema.ts'
import { fileEvent, noticeOf } from './translator.ts'
import { createUsageMeter, fromExec } from './usage-meter.ts'
import type { ExecItem, ExecLine, TokenCounts } from './wire.ts'

const NOTHING: TokenCounts = {
  inputTokens: 0,
  cachedInputTokens: 0,
  outputTokens: 0,
  reasoningOutputTokens: 0,
}

/** Turns the lines of `codex exec --json` into events. `before`: the thread's tokens before this run, where they are known. */
export function createExecTranslator(spec: RunSpec, before: TokenCounts | undefined) {
  const meter = createUsageMeter()
  let threadId = spec.resumeSessionId
  const base = before ?? (spec.resumeSessionId === undefined ? NOTHING : undefined)
  if (base) meter.before(base)
  const running = new Set<string>()
  let answer = ''

  function usageOf(total: TokenCounts | undefined): AgentEvent[] {
    // a resumed thread whose count is not known: unknown, never a guess
    if (!total || !base) return []
    const now = meter.update(total, NOTHING)
    return now ? [{ type: 'usage', usage: now }] : []
  }

  /** What it has used and does not tell before a turn is completed: as the thread's file has it. */
  function untold(): AgentEvent[] {
    return threadId === undefined ? [] : usageOf(totalInRollout(spec.env, threadId))
  }

  function started(item: ExecItem): AgentEvent[] {
    const tool = toolOf(item)
    if (!tool || running.has(item.id)) return []
    running.add(item.id)
    return [{ type: 'tool', callId: item.id, ...tool }]
  }

  function completed(item: ExecItem): AgentEvent[] {
    switch (item.type) {
      case 'agent_message':
        answer = item.text
        return [{ type: 'text', text: item.text }]
      case 'reasoning':
        return [{ type: 'reasoning', text: item.text }]
      case 'error':
        return noticeOf(item.message)
      case 'command_execution': {
        const ok = item.status === 'completed' && (item.exit_code ?? 0) === 0
        const output = item.aggregated_output ?? ''
        const result: AgentEvent = { type: 'tool_result', callId: item.id, ok, output }
        return [...started(item), ...untold(), result]
      }
      case 'file_change': {
        const ok = item.status === 'completed'
        const files = ok ? item.changes.map((change) => fileEvent(change, spec.cwd)) : []
        const result: AgentEvent = { type: 'tool_result', callId: item.id, ok, output: item.status }
        return [...started(item), ...untold(), result, ...files]
      }
      default:
        item satisfies never
        return []
    }
  }

  function done(): AgentEvent {
    const output = spec.outputSchema ? answerIn(answer, spec.outputSchema) : undefined
    return { type: 'done', text: answer, ...(output === undefined ? {} : { output }) }
  }

  function read({ text }: { text: string }): AgentEvent[] {
    if (text === '') return []
    const line = parse(text)
    switch (line?.type) {
      case 'thread.started':
        threadId = line.thread_id
        return [{ type: 'session', sessionId: threadId }]
      case 'item.started':
        return started(line.item)
      case 'item.completed':
        return completed(line.item)
      case 'turn.completed':
        return [...usageOf(line.usage && fromExec(line.usage)), done()]
      case 'turn.failed':
        return [failureOf(line.error, undefined)]
      // not final: what is comes as `turn.failed`
      case 'error':
        return noticeOf(line.message)
      case 'turn.started':
      case 'item.updated':
        return []
      default:
        return noticeOf(text)
    }
  }

  return { read, untold }
}

function toolOf(item: ExecItem): { name: string; input: string } | undefined {
  if (item.type === 'command_execution') return { name: 'shell', input: item.command }
  if (item.type !== 'file_change') return undefined
  return { name: 'apply_patch', input: item.changes.map(({ path }) => path).join('\n') }
}

/** Undefined for what is no line of Codex's. */
function parse(text: string): ExecLine | undefined {
  if (!text.startsWith('{')) return undefined
  try {
    return JSON.parse(text) as ExecLine
  } catch {
    return undefined
  }
}

import { type AgentEvent, NO_USAGE, type Usage } from '../../contracts/agent.ts'
import type { ResultMessage, StreamEvent, WireModelUsage, WireUsage } from './wire.ts'

/**
 * Counts a run's tokens to the token. While a turn runs, the figures of its finished answers are shown; its result then replaces them,
 * because only that one knows of side calls (compaction, titles). `total_cost_usd` and `modelUsage` are never used: on a resume they
 * carry on from what the session cost before this run.
 */
export interface UsageMeter {
  /** Tokens so far where the event tells some: what an answer has read, at its beginning, and all of it at its end. */
  streamed(event: StreamEvent['event']): AgentEvent | undefined
  /** Tokens so far after a turn, with what it cost where that is known. */
  finished(result: ResultMessage): AgentEvent
}

export function createUsageMeter(): UsageMeter {
  let settled: Usage = { ...NO_USAGE }
  let turn: Usage = { ...NO_USAGE }
  let answer: WireUsage = {}
  /** It came to an end, or nearly: it is charged. */
  let isWhole = false
  let shown: Usage = { ...NO_USAGE }
  let cost: number | undefined = 0

  /** No figure ever shrinks: an answer that broke off may have been shown and is not charged. */
  const show = (): Usage => {
    const now = add(add(settled, turn), fromWire(answer))
    shown = merge(shown, now, Math.max)
    return shown
  }
  return {
    streamed(event) {
      if (event.type === 'message_start') {
        if (isWhole) turn = add(turn, fromWire(answer))
        // what it reads is used up, whether or not it comes to an end
        answer = event.message.usage ?? {}
        isWhole = false
      } else if (event.type === 'message_delta') {
        // may come several times, with all of the answer so far
        answer = { ...answer, ...withoutEmpty(event.usage ?? {}) }
        isWhole = true
      } else return undefined
      return { type: 'usage', usage: show() }
    },
    finished(result) {
      const models = result.model_usage_since_last_result
      settled = add(settled, models ? fromModels(models) : fromWire(result.usage ?? {}))
      turn = { ...NO_USAGE }
      answer = {}
      isWhole = false
      const costs = models && costOf(models)
      cost = cost === undefined || costs === undefined ? undefined : cost + costs
      return { type: 'usage', usage: show(), ...(cost === undefined ? {} : { costUsd: cost }) }
    },
  }
}

/** Undefined where one model's price is a guess: an unknown cost is not told. */
function costOf(models: Record<string, WireModelUsage>): number | undefined {
  const all = Object.values(models)
  if (all.some(({ costBasis }) => costBasis === 'unknown')) return undefined
  return all.reduce((sum, { costUSD }) => sum + costUSD, 0)
}

const fromModels = (models: Record<string, WireModelUsage>): Usage =>
  Object.values(models)
    .map((model) => ({
      input: model.inputTokens,
      output: model.outputTokens,
      cacheRead: model.cacheReadInputTokens,
      cacheWrite: model.cacheCreationInputTokens,
      reasoning: model.thinkingTokens ?? 0,
    }))
    .reduce(add, { ...NO_USAGE })

const fromWire = (usage: WireUsage): Usage => ({
  input: usage.input_tokens ?? 0,
  output: usage.output_tokens ?? 0,
  cacheRead: usage.cache_read_input_tokens ?? 0,
  cacheWrite: usage.cache_creation_input_tokens ?? 0,
  reasoning: 0,
})

/** A gateway may leave out at the end what was told at the beginning, or say 0 for it. */
const withoutEmpty = (usage: WireUsage): WireUsage =>
  Object.fromEntries(Object.entries(usage).filter(([, value]) => (value ?? 0) > 0))

const add = (a: Usage, b: Usage) => merge(a, b, (x, y) => x + y)

function merge(a: Usage, b: Usage, by: (x: number, y: number) => number): Usage {
  return {
    input: by(a.input, b.input),
    output: by(a.output, b.output),
    cacheRead: by(a.cacheRead, b.cacheRead),
    cacheWrite: by(a.cacheWrite, b.cacheWrite),
    reasoning: by(a.reasoning, b.reasoning),
  }
}

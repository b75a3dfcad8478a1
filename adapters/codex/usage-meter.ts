import { NO_USAGE, type Usage } from '../../contracts/agent.ts'
import type { ExecUsage, TokenCounts } from './wire.ts'

/**
 * Counts a run's tokens. Codex knows no price: the cost stays unknown.
 *
 * Exactly, by what each response took, where a version tells that (`rawResponse/completed`: at once, and compactions too). Else as the
 * difference of the thread's totals, which go on over turns, processes and resumes, are repeated without a change, come only after the tools
 * of a response have ended, and leave compactions out. What is written down of a resumed thread knows these, but may come late: of both
 * the larger counts, since neither ever says too much.
 */
export interface UsageMeter {
  /** The thread's total before this run, as a resumed thread tells it. */
  before(total: TokenCounts): void
  /** The run's tokens so far; undefined when nothing changed. `last`: what its newest answer alone took. */
  update(total: TokenCounts, last: TokenCounts): Usage | undefined
  /** The thread's total with compactions, as it is written down; the first one is what was before this run. */
  recorded(total: TokenCounts): Usage | undefined
  /** The run's tokens so far, after one more response. */
  response(counts: TokenCounts): Usage
}

export function createUsageMeter(): UsageMeter {
  let base: Usage | undefined
  let baseRecorded: Usage | undefined
  let shown: Usage = { ...NO_USAGE }
  let isExact = false
  const grow = (now: Usage): Usage | undefined => {
    if (KEYS.every((key) => now[key] <= shown[key])) return undefined
    shown = merge(shown, now, Math.max)
    return shown
  }
  return {
    before(total) {
      base ??= fromWire(total)
    },
    update(total, last) {
      if (isExact) return undefined
      // not told what was before: everything but the first answer
      base ??= minus(fromWire(total), fromWire(last))
      return grow(minus(fromWire(total), base))
    },
    recorded(total) {
      if (isExact) return undefined
      baseRecorded ??= fromWire(total)
      return grow(minus(fromWire(total), baseRecorded))
    },
    response(counts) {
      isExact = true
      shown = merge(shown, fromWire(counts), (a, b) => a + b)
      return shown
    },
  }
}

const KEYS = ['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning'] as const

function fromWire(counts: TokenCounts): Usage {
  const {
    inputTokens,
    cachedInputTokens: cacheRead,
    cacheWriteInputTokens: cacheWrite = 0,
  } = counts
  const { outputTokens: output, reasoningOutputTokens: reasoning } = counts
  const input = Math.max(0, inputTokens - cacheRead - cacheWrite)
  return { input, output, cacheRead, cacheWrite, reasoning }
}

const minus = (a: Usage, b: Usage) => merge(a, b, (x, y) => Math.max(0, x - y))

function merge(a: Usage, b: Usage, by: (x: number, y: number) => number): Usage {
  const merged = { ...NO_USAGE }
  for (const key of KEYS) merged[key] = by(a[key], b[key])
  return merged
}

/** The words of `codex exec --json` as those of the app-server. */
export const fromExec = (usage: ExecUsage): TokenCounts => ({
  inputTokens: usage.input_tokens,
  cachedInputTokens: usage.cached_input_tokens,
  cacheWriteInputTokens: usage.cache_write_input_tokens ?? 0,
  outputTokens: usage.output_tokens,
  reasoningOutputTokens: usage.reasoning_output_tokens ?? 0,
})

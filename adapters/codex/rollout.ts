import { closeSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { codexHome } from './codex-home.ts'
import { fromExec } from './usage-meter.ts'
import type { ExecUsage, TokenCounts } from './wire.ts'

/**
 * The tokens of a thread so far, from the file in which Codex keeps it (`sessions/2026/11/25/rollout-<time>-<id>.jsonl`). `codex exec`
 * counts on from them and does not tell them. Undefined where the file or the count is not found: then nothing is known.
 */
export function totalInRollout(
  env: Readonly<Record<string, string>>,
  threadId: string,
): TokenCounts | undefined {
  const path = rolloutOf(env, threadId)
  if (path === undefined) return undefined
  return lastTotal(readFileSync(path, 'utf8'), '"total_token_usage"', ({ payload }) => {
    const info = payload?.['info'] as { total_token_usage?: ExecUsage } | null | undefined
    return info?.total_token_usage
  })
}

/**
 * Reads what all responses of a thread took so far, compactions included, each time it is called: newer versions (seen: 0.169) write it
 * down after every response. Undefined while nothing of that is found.
 */
export function recordedTotal(
  env: Readonly<Record<string, string>>,
  threadId: string,
): () => TokenCounts | undefined {
  const path = rolloutOf(env, threadId)
  let offset = 0
  let total: TokenCounts | undefined
  return () => {
    if (path === undefined) return undefined
    const { text, end } = wholeLinesFrom(path, offset)
    offset = end
    // not every line with these words is a record
    const last = lastTotal(text, '"token_usage_record"', ({ type, payload }) =>
      type === 'token_usage_record' ? (payload?.['thread_token_usage'] as ExecUsage) : undefined,
    )
    total = last ?? total
    return total
  }
}

function rolloutOf(env: Readonly<Record<string, string>>, threadId: string): string | undefined {
  const sessions = join(codexHome(env), 'sessions')
  if (!statSync(sessions, { throwIfNoEntry: false })?.isDirectory()) return undefined
  const name = readdirSync(sessions, { recursive: true, encoding: 'utf8' }).find((file) =>
    file.endsWith(`${threadId}.jsonl`),
  )
  return name === undefined ? undefined : join(sessions, name)
}

/** A line that is still being written is left for the next look. */
function wholeLinesFrom(path: string, offset: number): { text: string; end: number } {
  const size = (statSync(path, { throwIfNoEntry: false })?.size ?? 0) - offset
  if (size <= 0) return { text: '', end: offset }
  const bytes = Buffer.alloc(size)
  const file = openSync(path, 'r')
  try {
    readSync(file, bytes, 0, size, offset)
  } finally {
    closeSync(file)
  }
  const whole = bytes.lastIndexOf(0x0a) + 1
  return { text: bytes.subarray(0, whole).toString('utf8'), end: offset + whole }
}

interface RolloutLine {
  type?: string
  payload?: Record<string, unknown>
}

/** What the last line with these words tells; one that a kill or a full disk cut off tells nothing. */
function lastTotal(
  text: string,
  words: string,
  totalIn: (line: RolloutLine) => ExecUsage | undefined,
): TokenCounts | undefined {
  const lines = text.split('\n').filter((line) => line.includes(words))
  for (const line of lines.reverse()) {
    const total = totalIn(parsed(line))
    if (total) return fromExec(total)
  }
  return undefined
}

function parsed(line: string): RolloutLine {
  try {
    return JSON.parse(line)
  } catch {
    return {}
  }
}

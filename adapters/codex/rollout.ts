import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
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
  const home = env['CODEX_HOME'] ?? join(env['HOME'] ?? '/nonexistent', '.codex')
  const sessions = join(home, 'sessions')
  if (!statSync(sessions, { throwIfNoEntry: false })?.isDirectory()) return undefined
  const name = readdirSync(sessions, { recursive: true, encoding: 'utf8' }).find((file) =>
    file.endsWith(`${threadId}.jsonl`),
  )
  if (name === undefined) return undefined
  const lines = readFileSync(join(sessions, name), 'utf8').split('\n')
  const last = lines.findLast((line) => line.includes('"total_token_usage"'))
  return last === undefined ? undefined : totalIn(last)
}

function totalIn(line: string): TokenCounts | undefined {
  const { payload } = JSON.parse(line) as {
    payload?: { info?: { total_token_usage?: ExecUsage } | null }
  }
  const total = payload?.info?.total_token_usage
  return total && fromExec(total)
}

import type { FailureReason, TerminalEvent } from '../contracts/agent.ts'
import type { Stage } from '../contracts/stages.ts'
import { listSegments, type RunRow } from '../db/runs.ts'
import { isLimit, type LimitPause, ownPause, patienceTaken, pauseFor } from '../domain/failures.ts'
import type { ActivityDeps } from './deps.ts'

/** How often runs of the same agent before this one failed with the same reason, in the same attempt. */
export const failuresBefore = (
  segments: readonly RunRow[],
  run: RunRow,
  reason: FailureReason,
): number =>
  segments.filter(
    (one) =>
      one.segment < run.segment &&
      one.adapter === run.adapter &&
      (one.status === 'failed' || one.status === 'lost') &&
      (one.exit_reason ?? 'crash') === reason,
  ).length

/**
 * What waits for limits took of the attempt's patience, and the pause that the provider named at the end of its last run. What lay between two runs besides
 * the pause that was set, such as a goal that was paused, was no wait for a limit.
 */
export function limitPause(segments: readonly RunRow[], last: RunRow): LimitPause {
  let waited = 0
  for (const [n, run] of segments.entries()) {
    const next = segments[n + 1]
    const { ended_at, exit_reason: reason } = run
    const named = namedPause(run)
    if (!next || ended_at === null || !isLimit(reason)) continue
    const set = pauseFor(reason, failuresBefore(segments, run, reason), named)
    const pause = Math.max(0, Math.min(set, secondsBetween(ended_at, next.created_at)))
    const helped = next.tokens_out + next.tokens_estimated > 0
    waited += patienceTaken(pause, { named, helped })
  }
  const named = namedPause(last)
  return { waited, ...(named === undefined ? {} : { named }) }
}

function namedPause({ until_at, until_guessed, ended_at }: RunRow): number | undefined {
  if (until_at === null || until_guessed || ended_at === null) return undefined
  return Math.max(1, secondsBetween(ended_at, until_at))
}

const secondsBetween = (from: string, to: string) => (Date.parse(to) - Date.parse(from)) / 1000

/** ISO time until which Dispatch leaves an agent alone whose provider limits it and named no time; undefined where nothing has to be guessed. */
export async function guessedUntil(
  { database: { knex } }: Pick<ActivityDeps, 'database'>,
  run: RunRow,
  terminal: TerminalEvent,
): Promise<string | undefined> {
  if (terminal.type !== 'failed' || terminal.until !== undefined || !isLimit(terminal.reason))
    return undefined
  const { goal_id: goalId, task_id: taskId, stage, attempt, opinion } = run
  const key = { goalId, taskId, stage: stage as Stage, attempt }
  const failures = failuresBefore(await listSegments(knex, key, opinion), run, terminal.reason)
  return new Date(Date.now() + ownPause(terminal.reason, failures) * 1000).toISOString()
}

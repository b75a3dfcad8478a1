/** Figures and names as people read them, the same on a terminal and in the page. Zod-free: the CLI starts with it. */
import type { ChecklistItem, UsageTotals } from './schemas.ts'

/** `950`, `12.3k`, `123k`, `4.1M`. */
export function formatTokens(count: number): string {
  if (count < 1000) return String(count)
  if (count < 999_950) return `${trim(count / 1000)}k`
  return `${trim(count / 1_000_000)}M`
}
const trim = (value: number) => (value >= 100 ? String(Math.round(value)) : value.toFixed(1))

/** A sum of the tokens that agents told, and of how many runs it leaves out what they did not tell, which is not zero. */
export type UsedTokens = Pick<UsageTotals, 'total' | 'uncountedRuns'>

/** False for what used nothing. */
export const hasUsed = ({ total, uncountedRuns }: UsedTokens): boolean =>
  total > 0 || uncountedRuns > 0

/** What a run used, as its event tells it. */
export const usedByRun = (data: {
  tokens: number
  uncounted?: boolean | undefined
}): UsedTokens => ({
  total: data.tokens,
  uncountedRuns: data.uncounted ? 1 : 0,
})

/** `12.3k`, `12.3k+` where some are unknown, or `unknown`. `exact` has every digit. */
export function formatUsedTokens({ total, uncountedRuns }: UsedTokens, exact = false): string {
  if (uncountedRuns > 0 && total === 0) return 'unknown'
  return `${exact ? total : formatTokens(total)}${uncountedRuns > 0 ? '+' : ''}`
}

/** `4s`, `1m 04s`, `2h 05m`, `3d 04h`. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  const [d, h, m, s] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
    seconds % 60,
  ]
  const two = (value: number) => String(value).padStart(2, '0')
  if (d > 0) return `${d}d ${two(h)}h`
  if (h > 0) return `${h}h ${two(m)}m`
  return m > 0 ? `${m}m ${two(s)}s` : `${s}s`
}

/** `2026-11-29 02:30 UTC`, for sentences that are stored and read anywhere. */
export const formatUtc = (at: Date): string =>
  `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`

/** `person:ada` is Ada's name to a person; other actors keep their kind. */
export const actorName = (actor: string): string => actor.replace(/^person:/, '')

const REVIEW_WAIT = 'waits for a review: '
/** Why a goal waits, where nobody has decided a review of it. */
export const reviewWait = (title: string): string => REVIEW_WAIT + title
/** Whether that is why it waits. */
export const isReviewWait = (reason: string | null): boolean =>
  reason?.startsWith(REVIEW_WAIT) === true

/** An item of a checklist that is found good by whoever was asked; any other is for the person to look at. */
export const hasPassed = ({ result, second }: Pick<ChecklistItem, 'result' | 'second'>): boolean =>
  result === 'pass' && second?.disagrees !== true

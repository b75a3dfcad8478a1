import type { GoalSummary } from '../contracts/schemas.ts'
import type { Deps } from './command.ts'
import type { Io } from './io.ts'
import { oneLine } from './terminal-text.ts'

/** How many goals the last line names besides the first; each has a line of its own above it. */
const NAMED = 5

/** The goals that move no more until a person does something. */
export async function goalsInNeed(deps: Deps) {
  return deps.call('listGoals', { query: { status: 'needs_attention', limit: 200 } })
}

/** `G-4 needs attention: why`, and what can be done. */
export function noteGoalsInNeed(goals: readonly GoalSummary[], io: Io) {
  for (const { shortId, title, reason } of goals) {
    const why = oneLine((reason ?? title).trim().split('\n')[0] ?? '')
    io.note(`${shortId} needs attention: ${why}`)
  }
  const [first, ...others] = goals
  if (!first) return
  const also = others.slice(0, NAMED).map(({ shortId }) => shortId)
  const more = others.length > NAMED ? [`${others.length - NAMED} more`] : []
  const rest = others.length > 0 ? ` (likewise ${[...also, ...more].join(', ')})` : ''
  io.note(`See why: dispatch goal show ${first.shortId}${rest}; then dispatch goal retry or cancel`)
}

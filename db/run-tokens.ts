/** What is summed of runs, as SQL over `agent_runs r`: the one place that says which tokens are known and which are not. */

/** All tokens that the run's agent told. Reasoning is part of the output, so it does not count twice. */
export const TOLD_TOKENS =
  '(r.tokens_in + r.tokens_out + r.tokens_cache_read + r.tokens_cache_write)'

/** With an estimate of those that it used and did not tell: what counts in budgets. */
export const USED_TOKENS = `(${TOLD_TOKENS} + r.tokens_estimated)`

/**
 * True for a run that used tokens that its agent did not tell, or has not told yet. Unknown is not zero. Of one whose runner was killed nobody
 * heard the last of, and its agent may have gone on for a while.
 */
export const IS_UNCOUNTED = "(r.tokens_estimated > 0 or (r.status = 'lost' and r.last_seq > 0))"

/** The agent's own figure, or one by list prices. */
export const COST = 'coalesce(r.cost_usd, r.cost_estimate_usd)'

/** True for a run whose cost nobody knows as a whole. One that used nothing costs nothing, though nobody says so. */
export const IS_UNPRICED = `(${IS_UNCOUNTED} or (${COST} is null and ${TOLD_TOKENS} > 0))`

import type { Usage } from '../contracts/agent.ts'

/** All tokens of a run, as budgets count them: fresh and cached input, output. Reasoning is part of the output. */
export function totalTokens(usage: Usage): number {
  return usage.input + usage.output + usage.cacheRead + usage.cacheWrite
}

/**
 * The budget after a person granted more: at least the first budget again, and at least twice what was used, so that a
 * task that needs many times its budget asks a few times and not at every stage.
 */
export function grantedBudget(used: number, firstBudget: number): number {
  return used + Math.max(firstBudget, used)
}

/** True when `used` tokens have reached the budget; 0 means unlimited. */
export function budgetReached(used: number, budget: number): boolean {
  return budget > 0 && used >= budget
}

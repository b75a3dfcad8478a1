import { formatTokens } from '../contracts/figures.ts'

/**
 * The budget after a person granted more: at least the first budget again, and at least twice what was used, so that
 * work that needs many times its budget asks a few times and not at every stage.
 */
export function grantedBudget(used: number, firstBudget: number): number {
  return used + Math.max(firstBudget, used)
}

/** What a budget is of: one task, one goal with all its tasks, or all runs of one day. */
export type BudgetScope = 'task' | 'goal' | 'day'

/** A budget that limits a run. All in tokens. */
export interface Allowance {
  scope: BudgetScope
  budget: number
  /** By all runs that it counts, the one that asks included. */
  used: number
  /** Set aside for other runs at work, and not used by them yet. */
  reserved: number
}

/** How much more a run may use before it has to ask again. */
export type Reservation =
  | { type: 'unlimited' }
  | { type: 'part'; tokens: number }
  /** Nothing is left of this budget. */
  | { type: 'used_up'; of: Allowance }
  /** What is left of it is set aside for other runs at work: some of it comes back when they end. */
  | { type: 'taken'; of: Allowance }

/** Less than this is not worth the start of an agent, whose first request alone takes about as much. */
const SMALLEST_PART = 10_000
/** A run takes a quarter of what is left at a time, so that others find something, and it asks rarely. */
const PARTS = 4

/** What is set aside for a run that is limited by all of `allowances`: its part of the tightest. */
export function reservationOf(allowances: readonly Allowance[]): Reservation {
  if (allowances.length === 0) return { type: 'unlimited' }
  const usedUp = allowances.find(({ budget, used }) => used >= budget)
  if (usedUp) return { type: 'used_up', of: usedUp }
  const taken = allowances.find((one) => leftOf(one) <= 0)
  if (taken) return { type: 'taken', of: taken }
  return { type: 'part', tokens: Math.min(...allowances.map((one) => partOf(leftOf(one)))) }
}

/** Below this share of a budget little is left. */
const LITTLE = 0.2
/** A goal has seven stages of agents; what allows each of them three requests is little for it. */
const SMALL_GOAL = 7 * 3 * SMALLEST_PART

/** Why tokens should be spared, in words; undefined where there are enough. */
export function littleLeft(allowances: readonly Allowance[]): string | undefined {
  const scarce = allowances.find((one) => leftOf(one) < one.budget * LITTLE)
  if (scarce)
    return `little of the ${scarce.scope}'s budget of ${formatTokens(scarce.budget)} tokens is left`
  const small = allowances.find(({ scope, budget }) => scope === 'goal' && budget < SMALL_GOAL)
  return small && `the goal's budget of ${formatTokens(small.budget)} tokens is small`
}

const leftOf = ({ budget, used, reserved }: Allowance) => budget - used - reserved
const partOf = (left: number) => Math.min(left, Math.max(SMALLEST_PART, Math.ceil(left / PARTS)))

/** Work waits for a budget: for others to end, for a review, or for the next day. The message says which. */
export class BudgetHold extends Error {
  override name = 'BudgetHold'
}

/** The local day around `now`, from its midnight to the next. */
export function dayOf(now: Date): { from: Date; to: Date } {
  const at = (day: number) => new Date(now.getFullYear(), now.getMonth(), day)
  return { from: at(now.getDate()), to: at(now.getDate() + 1) }
}

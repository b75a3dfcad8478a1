import { formatTokens, formatUtc } from '../contracts/figures.ts'
import { shortId } from '../contracts/ids.ts'
import {
  askForGoal,
  type BudgetPlace,
  budgetsOf,
  goalAsker,
  growReservation,
  lockBudgets,
  noteBudgetStop,
} from '../db/budgets.ts'
import type { Tx } from '../db/connect.ts'
import type { GoalFacts } from '../db/facts.ts'
import type { RunRow } from '../db/runs.ts'
import type { StageKey } from '../db/stages.ts'
import {
  type Allowance,
  BudgetHold,
  dayOf,
  type Reservation,
  reservationOf,
} from '../domain/budget.ts'
import { leaseOf } from './abandon-attempt.ts'
import type { ActivityDeps } from './deps.ts'

/** Why no run is started: a person is asked for more tokens. */
export interface UsedUp {
  type: 'used_up'
  summary: string
}

/** Where the budgets of a stage attempt are looked up. */
export const budgetPlace = ({ goalId, taskId }: StageKey) => ({
  goalId,
  taskId,
  since: dayOf(new Date()).from.toISOString(),
})

/**
 * Sets tokens aside for a run that is to start, in the transaction that makes its row. Answers how many (0 where no
 * budget applies), or that a person has to be asked. Throws BudgetHold when the run has to wait.
 */
export async function reserveForStart(
  tx: Tx,
  key: StageKey,
  facts: GoalFacts,
): Promise<number | UsedUp> {
  await lockBudgets(tx)
  const found = reservationOf(await budgetsOf(tx, budgetPlace(key)))
  if (found.type === 'unlimited') return 0
  if (found.type === 'part') return found.tokens
  const isGoal = found.of.scope === 'goal'
  if (found.type === 'used_up' && found.of.scope !== 'day') {
    if (!isGoal || (await askForGoal(tx, key.goalId, leaseOf(key))))
      return { type: 'used_up', summary: usedUpText(found.of, facts) }
  }
  throw new BudgetHold((await holdText(tx, key, found)) ?? 'the budget was changed meanwhile')
}

/**
 * Why no run of this stage may start now although nobody has to be asked: the day's budget, or what others have set aside
 * or asked for. Undefined when it may try.
 */
export async function budgetHold(
  { database: { knex } }: ActivityDeps,
  key: StageKey,
): Promise<string | undefined> {
  return holdText(knex, key, reservationOf(await budgetsOf(knex, budgetPlace(key))))
}

async function holdText(
  knex: Tx | ActivityDeps['database']['knex'],
  key: StageKey,
  found: Reservation,
): Promise<string | undefined> {
  if (found.type === 'unlimited' || found.type === 'part') return undefined
  const { scope, budget, used } = found.of
  if (found.type === 'taken')
    return `the rest of the ${scope}'s budget of ${tokens(budget)} is set aside for runs at work: goes on when one of them ends`
  if (scope === 'goal') return goalAsker(knex, key.goalId, leaseOf(key))
  if (scope === 'task') return undefined
  const { to } = dayOf(new Date())
  return `the day's budget of ${tokens(budget)} is used up (${used}): goes on at ${formatUtc(to)}, or when dayBudget is raised`
}

const tokens = (count: number) => (count === 1 ? '1 token' : `${count} tokens`)

function usedUpText({ scope, budget, used }: Allowance, { goal }: GoalFacts): string {
  const what = scope === 'goal' ? `Goal ${shortId('goal', goal.number)}` : 'The task'
  return `${what} used ${formatTokens(used)} of its budget of ${formatTokens(budget)} tokens.`
}

/** Less than a response uses, more than a line of an agent whose tokens are estimated. */
const LOOK_AGAIN_TOKENS = 500

/**
 * Watches the part of its budgets that was set aside for a run. Asked after each response, once its tokens are stored:
 * a run that used its part gets another one while there is any left, and is ended when there is none. One that has not, or
 * that nothing limited when it began, looks whether a person has set or lowered a budget since.
 */
export function watchReservation({ database }: ActivityDeps, key: StageKey, run: RunRow) {
  let part = run.tokens_reserved
  let ends = run.budget_stop !== null
  let looked = 0

  /** Without the lock, which nobody has to wait for where nothing changed. */
  async function isToAsk(used: number, place: BudgetPlace): Promise<boolean> {
    if (part > 0 && used >= part) return true
    if (used - looked < LOOK_AGAIN_TOKENS) return false
    looked = used
    const { type } = reservationOf(await budgetsOf(database.knex, place))
    return part > 0 ? type === 'used_up' : type !== 'unlimited'
  }

  return {
    /** Its part by now; 0 where no budget limits it. */
    part: () => part,
    /** True when the run is to be interrupted. `used`: all its tokens so far. */
    async isOver(used: number): Promise<boolean> {
      const place = { ...budgetPlace(key), runId: run.id }
      if (ends || !(await isToAsk(used, place))) return ends
      await database.change(async (tx) => {
        await lockBudgets(tx)
        const found = reservationOf(await budgetsOf(tx, place))
        if (found.type === 'unlimited') part = 0
        else if (found.type === 'part') part = await growReservation(tx, run.id, found.tokens)
        else {
          ends = true
          await noteBudgetStop(tx, run.id, found.of.scope)
        }
      })
      return ends
    },
  }
}

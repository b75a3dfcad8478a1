import type { Knex } from 'knex'
import { shortId } from '../contracts/ids.ts'
import type { Tx } from './connect.ts'
import { LOCKS } from './locks.ts'
import { USED_TOKENS } from './run-tokens.ts'
import { readSettings } from './settings.ts'

/** Who asked for more opens a review at once; if it does not, because it died, another may ask. */
const ASKED_SECONDS = 60

const AT_WORK = `r.status = 'running'`

/** What a run is of. `runId`: once it has a row. `since`: ISO time at which the day began. */
export interface BudgetPlace {
  goalId: string
  taskId: string | null
  runId?: string
  since: string
}

/** Budgets in tokens that limit a run, with what is used of each and what is set aside for other runs. Unlimited ones are absent. */
export interface BudgetUse {
  scope: 'task' | 'goal' | 'day'
  budget: number
  used: number
  reserved: number
}

/** No reservation is made by anybody else until this transaction ends. */
export async function lockBudgets(tx: Tx): Promise<void> {
  await tx.raw('select pg_advisory_xact_lock(?)', [LOCKS.budgets])
}

/** The budgets that limit runs of this place, the narrowest first. */
export async function budgetsOf(knex: Knex, place: BudgetPlace): Promise<BudgetUse[]> {
  const { goalId, taskId, runId = null, since } = place
  const task = taskId ? await knex('tasks').where({ id: taskId }).first('token_budget') : undefined
  const goal = await knex('goals').where({ id: goalId }).first('token_budget')
  const { dayBudget } = await readSettings(knex)
  // one after the other: in a transaction there is one connection
  return [
    ...(await usesOf(knex, 'task', task?.token_budget ?? 0, { where: { task_id: taskId }, runId })),
    ...(await usesOf(knex, 'goal', goal.token_budget, { where: { goal_id: goalId }, runId })),
    ...(await usesOf(knex, 'day', dayBudget, { where: {}, runId, since })),
  ]
}

/** The budgets that will limit a goal that is being filed: `own` in tokens, absent means the setting's; `since`: as of a place. */
export async function budgetsOfNewGoal(
  knex: Knex,
  { own, since }: { own: number | undefined; since: string },
): Promise<BudgetUse[]> {
  const { dayBudget, ...settings } = await readSettings(knex)
  const goalBudget = own ?? settings.goalBudget
  const goal = { scope: 'goal', budget: goalBudget, used: 0, reserved: 0 } as const
  return [
    ...(goalBudget === 0 ? [] : [goal]),
    ...(await usesOf(knex, 'day', dayBudget, { where: {}, since })),
  ]
}

/** One budget with its use, or nothing where it is unlimited. */
async function usesOf(
  knex: Knex,
  scope: BudgetUse['scope'],
  budget: number,
  { where, ...by }: { where: Record<string, unknown>; runId?: string | null; since?: string },
): Promise<BudgetUse[]> {
  return budget === 0 ? [] : [{ scope, budget, ...(await usedBy(knex, where, by)) }]
}

/** What a run had used when `:since` began, as its last response before that said. */
const TOKENS_BEFORE = `coalesce((
  select (u ->> 'input')::bigint + (u ->> 'output')::bigint + (u ->> 'cacheRead')::bigint + (u ->> 'cacheWrite')::bigint
    from (select content -> 'usage' as u from transcripts
           where run_id = r.id and kind = 'usage' and at < :since order by seq desc limit 1) before), 0)`

/** Tokens of these runs since a time, and what is set aside for others than `runId`. A run that began earlier may be at work still. */
async function usedBy(
  knex: Knex,
  where: Record<string, unknown>,
  { runId = null, since = '-infinity' }: { runId?: string | null; since?: string },
): Promise<{ used: number; reserved: number }> {
  const bindings = { runId, since }
  const row = await knex('agent_runs as r')
    .where(where)
    .whereRaw(`(r.created_at >= :since or r.ended_at >= :since or ${AT_WORK})`, bindings)
    .first(
      knex.raw(
        `coalesce(sum(${USED_TOKENS} - case when r.created_at < :since then ${TOKENS_BEFORE} else 0 end), 0)::bigint as used`,
        bindings,
      ),
      knex.raw(
        `coalesce(sum(greatest(r.tokens_reserved - ${USED_TOKENS}, 0))
          filter (where ${AT_WORK} and r.id is distinct from :runId), 0)::bigint as reserved`,
        bindings,
      ),
    )
  return { used: Number(row.used), reserved: Number(row.reserved) }
}

/** All tokens of a goal's or a task's runs so far. */
export async function tokensUsed(
  knex: Knex,
  where: { goal_id: string } | { task_id: string },
): Promise<number> {
  return (await usedBy(knex, where, {})).used
}

/** Sets tokens aside for a run: `tokens` more than it has used. */
export async function growReservation(tx: Tx, runId: string, tokens: number): Promise<number> {
  const [row] = await tx('agent_runs as r')
    .where({ id: runId })
    .update({ tokens_reserved: tx.raw(`${USED_TOKENS} + ?::bigint`, [tokens]) })
    .returning('tokens_reserved')
  return row.tokens_reserved
}

/** Notes which budget ends a run, before it is interrupted: another worker may see the end. */
export async function noteBudgetStop(tx: Tx, runId: string, scope: string): Promise<void> {
  await tx('agent_runs').where({ id: runId }).update({ budget_stop: scope })
}

/**
 * The goal's budget is used up and this stage attempt found it: true when it is the one that asks for more. Others wait
 * for its review, so that a person is asked once.
 */
export async function askForGoal(tx: Tx, goalId: string, asker: string): Promise<boolean> {
  if ((await goalAsker(tx, goalId, asker)) !== undefined) return false
  await tx('goals')
    .where({ id: goalId })
    .update({ budget_asked_by: asker, budget_asked_at: tx.fn.now() })
  return true
}

/** In words, what a stage attempt waits for because another one asked for more tokens for the goal; undefined when none did. */
export async function goalAsker(
  knex: Knex,
  goalId: string,
  asker: string,
): Promise<string | undefined> {
  const goal = await knex('goals')
    .where({ id: goalId })
    .first(
      'number',
      'token_budget',
      'budget_asked_by',
      knex.raw(`coalesce(budget_asked_at > now() - make_interval(secs => ?), false) as lately`, [
        ASKED_SECONDS,
      ]),
    )
  if (goal.budget_asked_by === null || goal.budget_asked_by === asker) return undefined
  const review = await knex('reviews')
    .where({ goal_id: goalId, kind: 'budget', budget_scope: 'goal' })
    // an approval grants its tokens only once the workflow that asked has read it
    .whereRaw(`(status = 'pending' or (status = 'approved' and offered_tokens > ?))`, [
      goal.token_budget,
    ])
    .first('number', 'status')
  const name = shortId('goal', goal.number)
  if (review) {
    const what = review.status === 'pending' ? 'is decided' : 'gives it the tokens it offered'
    return `${name} used up its budget: goes on when ${shortId('review', review.number)} ${what}`
  }
  return goal.lately ? `${name} used up its budget: more is being asked for` : undefined
}

/** Lets the goal use `budget` tokens in all, if it may not use more already. A grant ends the asking. */
export async function grantToGoal(tx: Tx, goalId: string, budget: number): Promise<void> {
  await tx('goals')
    .where({ id: goalId })
    .update({
      token_budget: tx.raw('greatest(token_budget, ?::bigint)', [budget]),
      ...{ budget_asked_by: null, budget_asked_at: null },
    })
}

import type { Knex } from 'knex'

/**
 * Runs: what their tokens cost by list prices and what the cache saved, as known when they were used; tokens set aside for a run,
 * and the budget that ended it. Goals: a budget of their own, and which stage attempt asked for more. Reviews: whose budget is asked
 * for, and what was granted. Leases: why one must wait whatever the pool says.
 */
const SQL = `
alter table agent_runs
  add column cost_estimate_usd numeric(14,6),
  add column cache_saved_usd numeric(14,6),
  add column tokens_reserved bigint not null default 0,
  add column budget_stop text;
create index agent_runs_created on agent_runs(created_at);
create index agent_runs_task on agent_runs(task_id) where task_id is not null;
alter table goals
  add column token_budget bigint not null default 0,
  add column budget_asked_by text,
  add column budget_asked_at timestamptz;
alter table reviews
  add column budget_scope text,
  add column granted_tokens bigint;
alter table run_leases add column hold text;
`

export async function up(knex: Knex): Promise<void> {
  await knex.raw(SQL)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    drop index agent_runs_created;
    drop index agent_runs_task;
    alter table agent_runs drop column cost_estimate_usd, drop column cache_saved_usd, drop column tokens_reserved,
      drop column budget_stop;
    alter table goals drop column token_budget, drop column budget_asked_by, drop column budget_asked_at;
    alter table reviews drop column budget_scope, drop column granted_tokens;
    alter table run_leases drop column hold;
  `)
}

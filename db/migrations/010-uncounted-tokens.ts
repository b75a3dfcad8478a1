import type { Knex } from 'knex'

/** Tokens of a run whose agent has told none so far, estimated from what it said; 0 as soon as it tells. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table agent_runs add column tokens_estimated bigint not null default 0;')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table agent_runs drop column tokens_estimated;')
}

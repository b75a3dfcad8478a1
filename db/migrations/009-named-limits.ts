import type { Knex } from 'knex'

/** True where Dispatch chose `until_at`, because the provider named no time. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table agent_runs add column until_guessed boolean not null default false;')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table agent_runs drop column until_guessed;')
}

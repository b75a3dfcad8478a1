import type { Knex } from 'knex'

/** Since when a task's agent is the one that a person chose, or the profile's again: runs of before say nothing of it. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table tasks add column agent_since timestamptz')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table tasks drop column agent_since')
}

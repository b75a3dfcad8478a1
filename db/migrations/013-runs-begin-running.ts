import type { Knex } from 'knex'

/** A run's row is made in the moment in which it begins: "queued" was never written. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table agent_runs alter column status drop default;')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw("alter table agent_runs alter column status set default 'queued';")
}

import type { Knex } from 'knex'

/** Who asked that this one run ends; its stage then waits for a person. */
const SQL = `alter table agent_runs add column stopped_by text`

export async function up(knex: Knex): Promise<void> {
  await knex.raw(SQL)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table agent_runs drop column stopped_by')
}

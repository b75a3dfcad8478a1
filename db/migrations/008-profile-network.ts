import type { Knex } from 'knex'

/** What agents that work by a profile reach at most; null leaves it to the project. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table profiles add column network text;')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table profiles drop column network;')
}

import type { Knex } from 'knex'

/** What keeps a project's agents from the rest of the machine, and what they reach. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
alter table projects add column sandbox text not null default 'none';
alter table projects add column network text not null default 'agent';
`)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table projects drop column network, drop column sandbox;')
}

import type { Knex } from 'knex'

/** Why a correction that its own run did not take is delivered or expired. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table corrections add column note text')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table corrections drop column note')
}

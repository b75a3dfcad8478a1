import type { Knex } from 'knex'

/** What a review of a budget offers is kept when it is opened, and an approval grants just that. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table reviews rename column granted_tokens to offered_tokens')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table reviews rename column offered_tokens to granted_tokens')
}

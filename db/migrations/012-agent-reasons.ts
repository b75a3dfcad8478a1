import type { Knex } from 'knex'

/** Why an agent works in a stage attempt where it is not simply the profile's: kept when `reason` tells of something else. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw('alter table stage_attempts add column agent_reason text;')
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table stage_attempts drop column agent_reason;')
}

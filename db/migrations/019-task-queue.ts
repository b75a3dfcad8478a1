import type { Knex } from 'knex'

/**
 * The queue of this database's workers, so that two installations on one namespace of Temporal never take each other's work. Where there
 * are goals already, their workflows stand in the queue that all had before.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
insert into settings (key, value, updated_by)
select 'machine.task_queue',
  to_jsonb('core' || case when exists (select from goals) then '' else '-' || gen_random_uuid() end),
  'dispatch'`)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`delete from settings where key = 'machine.task_queue'`)
}

import type { Knex } from 'knex'

/** A task whose work is on the goal's branch was called "merged", which people read as: on their branch. */
const rename = (from: string, to: string) => `
update tasks set status = '${to}' where status = '${from}';
update events set data = jsonb_set(data, '{status}', '"${to}"')
 where type = 'task.status' and data->>'status' = '${from}';
`

export async function up(knex: Knex): Promise<void> {
  await knex.raw(rename('merged', 'integrated'))
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(rename('integrated', 'merged'))
}

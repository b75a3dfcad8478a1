import type { Knex } from 'knex'

/** What people told agents in the middle of their work. `id` is the key by which a runner hands it over once. */
const SQL = `
create table corrections (
  id uuid primary key default uuidv7(),
  run_id uuid not null references agent_runs(id),
  text text not null,
  state text not null default 'queued',
  created_by text not null,
  created_at timestamptz not null default now(),
  delivered_at timestamptz,
  applied_at timestamptz
);
create index corrections_run on corrections(run_id, id);
`

export async function up(knex: Knex): Promise<void> {
  await knex.raw(SQL)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table corrections')
}

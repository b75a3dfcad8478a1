import type { Knex } from 'knex'

/** Work for goals that fails and is tried again by itself: why those goals stand still. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
create table delays (
  goal_id uuid not null references goals(id),
  work text not null,
  error text not null,
  since timestamptz not null default now(),
  tried_at timestamptz not null default now(),
  primary key (goal_id, work)
)`)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('drop table delays')
}

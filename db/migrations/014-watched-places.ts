import type { Knex } from 'knex'

/**
 * A place in the pool whose time is up is watched before another run gets it. Priorities and hosts were never written by anything:
 * decision 004.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table run_leases
      add column overdue_since timestamptz,
      add column overdue_seen timestamptz,
      drop column priority,
      drop column host;
    alter table agent_runs drop column host;
  `)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
    alter table run_leases
      drop column overdue_since,
      drop column overdue_seen,
      add column priority int not null default 3,
      add column host text not null default 'local';
    alter table agent_runs add column host text not null default 'local';
  `)
}

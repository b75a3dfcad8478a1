import type { Knex } from 'knex'

/**
 * What people want held in every goal of a project or profile, and corrections alike that could become such. Of a second opinion:
 * its answer beside verify's, and which runs are its own. When a parked stage goes on. A task's own agent.
 */
const SQL = `
alter table projects add column conventions text not null default '';
alter table profiles add column conventions text not null default '';
alter table profiles add column second_opinion jsonb;
alter table profiles add column fallbacks jsonb not null default '[]';
alter table tasks add column agent jsonb;
alter table stage_attempts add column second_opinion jsonb;
alter table stage_attempts add column until_at timestamptz;
alter table agent_runs add column opinion int not null default 1;
alter table reviews add column second_opinion jsonb;
create index agent_runs_until on agent_runs(adapter, until_at) where until_at is not null;
create table suggestions (
  id uuid primary key default uuidv7(),
  number int generated always as identity unique,
  project_id uuid not null references projects(id),
  text text not null,
  correction_ids uuid[] not null,
  status text not null default 'pending',
  profile_id uuid references profiles(id) on delete set null,
  decided_by text,
  decided_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index suggestions_project on suggestions(project_id, status);
`

export async function up(knex: Knex): Promise<void> {
  await knex.raw(SQL)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
drop table suggestions;
drop index agent_runs_until;
alter table agent_runs drop column opinion;
alter table stage_attempts drop column until_at, drop column second_opinion;
alter table tasks drop column agent;
alter table reviews drop column second_opinion;
alter table profiles drop column fallbacks, drop column second_opinion, drop column conventions;
alter table projects drop column conventions;
`)
}

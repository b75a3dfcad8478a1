import type { Knex } from 'knex'

/**
 * What changed of the settings that decide which programs git runs is kept for the review of every work that went on at that time:
 * `stage_attempts.git_seen` is the last change that was known before its agent began.
 */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(`
create table git_changes (
  id bigint generated always as identity primary key,
  project_id uuid not null references projects(id),
  place text not null,
  files text[] not null,
  seen_at timestamptz not null default now()
);
create index git_changes_project on git_changes(project_id, id);
alter table stage_attempts add column git_seen bigint;
update stage_attempts set git_seen = 0 where started_at is not null;
alter table projects rename column config_hash to git_settings;
alter table projects alter column git_settings type jsonb using git_settings::jsonb;
`)
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw(`
alter table projects alter column git_settings type text;
alter table projects rename column git_settings to config_hash;
alter table stage_attempts drop column git_seen;
drop table git_changes;
`)
}

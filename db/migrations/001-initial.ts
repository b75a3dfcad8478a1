import type { Knex } from 'knex'

/** The first schema. One table per entity of the design; every human decision is arbitrated here. */
export async function up(knex: Knex): Promise<void> {
  await knex.raw(SCHEMA)
}

export async function down(): Promise<void> {
  throw new Error('There is no way back from the first schema: restore a backup instead.')
}

const SCHEMA = `
create table profiles (
  id uuid primary key default uuidv7(),
  name text not null unique,
  stages jsonb not null,
  created_at timestamptz not null default now()
);

create table projects (
  id uuid primary key default uuidv7(),
  number int generated always as identity unique,
  name text not null,
  path text not null,
  default_branch text not null,
  trusted boolean not null default true,
  checks jsonb not null default '[]',
  profile_id uuid references profiles(id),
  config_hash text,
  created_at timestamptz not null default now(),
  removed_at timestamptz
);
create unique index projects_path on projects(path) where removed_at is null;

create table goals (
  id uuid primary key default uuidv7(),
  number int generated always as identity unique,
  project_id uuid not null references projects(id),
  title text not null,
  description text not null,
  profile jsonb not null,
  status text not null default 'active',
  stage text not null default 'spec',
  reason text,
  paused boolean not null default false,
  ending boolean not null default false,
  attention jsonb not null default '{}',
  target_branch text not null,
  base_commit text,
  branch text,
  merged_commit text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index goals_status on goals(status, id);
create index goals_project on goals(project_id, id);

create table specs (
  id uuid primary key default uuidv7(),
  goal_id uuid not null references goals(id),
  role text not null,
  version int not null,
  status text not null default 'draft',
  content jsonb not null,
  hash text not null,
  created_by text not null,
  created_at timestamptz not null default now(),
  unique (goal_id, role, version)
);

create table tasks (
  id uuid primary key default uuidv7(),
  number int generated always as identity unique,
  goal_id uuid not null references goals(id),
  key text not null,
  title text not null,
  description text not null,
  role text not null,
  depends_on uuid[] not null default '{}',
  status text not null default 'pending',
  reason text,
  stage text,
  adapter text,
  blast_radius text,
  tier text,
  branch text,
  base text,
  head text,
  merged_commit text,
  token_budget bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (goal_id, key)
);

create table stage_attempts (
  id uuid primary key default uuidv7(),
  goal_id uuid not null references goals(id),
  task_id uuid references tasks(id),
  stage text not null,
  attempt int not null,
  status text not null default 'waiting',
  reason text,
  adapter text,
  feedback text,
  output jsonb,
  checks jsonb,
  result jsonb,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  unique nulls not distinct (goal_id, task_id, stage, attempt)
);

create table agent_runs (
  id uuid primary key default uuidv7(),
  number int generated always as identity unique,
  goal_id uuid not null references goals(id),
  task_id uuid references tasks(id),
  stage text not null,
  attempt int not null,
  segment int not null,
  purpose text not null,
  adapter text not null,
  model text,
  host text not null default 'local',
  session_id text,
  status text not null default 'queued',
  exit_reason text,
  exit_detail text,
  until_at timestamptz,
  output jsonb,
  tokens_in bigint not null default 0,
  tokens_out bigint not null default 0,
  tokens_cache_read bigint not null default 0,
  tokens_cache_write bigint not null default 0,
  tokens_reasoning bigint not null default 0,
  cost_usd numeric(14,6),
  last_line text,
  last_seq bigint not null default 0,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  ended_at timestamptz,
  unique nulls not distinct (goal_id, task_id, stage, attempt, segment)
);
create index agent_runs_status on agent_runs(status, id);

create table transcripts (
  run_id uuid not null references agent_runs(id),
  seq bigint not null,
  at timestamptz not null,
  role text not null,
  kind text not null,
  content jsonb not null,
  primary key (run_id, seq)
);

create table streams (
  name text primary key,
  seq bigint not null
);
insert into streams values ('feed', 0);

create table events (
  feed_seq bigint primary key,
  stream text not null,
  seq bigint not null,
  type text not null,
  actor text not null,
  at timestamptz not null default now(),
  data jsonb not null,
  unique (stream, seq)
);

create table reviews (
  id uuid primary key default uuidv7(),
  number int generated always as identity unique,
  kind text not null,
  goal_id uuid not null references goals(id),
  task_id uuid references tasks(id),
  workflow_id text not null,
  attempt int not null,
  title text not null,
  reason text not null,
  base text,
  head text,
  tree text,
  hash text not null,
  tier text not null,
  risk text not null,
  checklist jsonb not null default '[]',
  files jsonb not null default '[]',
  summary text,
  deviations jsonb not null default '[]',
  findings jsonb not null default '[]',
  spec_id uuid references specs(id),
  status text not null default 'pending',
  decision text,
  decided_by text,
  via text,
  comment text,
  checked jsonb,
  created_at timestamptz not null default now(),
  decided_at timestamptz,
  unique nulls not distinct (goal_id, task_id, kind, attempt)
);
create index reviews_pending on reviews(status, id);

create table run_leases (
  id text primary key,
  goal_id uuid not null references goals(id),
  stage text not null,
  adapter text not null,
  host text not null default 'local',
  priority int not null default 3,
  state text not null default 'waiting',
  enqueued_at timestamptz not null default clock_timestamp(),
  seen_at timestamptz not null default now(),
  granted_at timestamptz,
  expires_at timestamptz
);
create index run_leases_live on run_leases(state) where state in ('waiting','held');

create table merge_intents (
  key text primary key,
  goal_id uuid not null references goals(id),
  review_id uuid references reviews(id),
  target text not null,
  new_sha text,
  state text not null default 'intended',
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);

create table outbox (
  id bigint generated always as identity primary key,
  kind text not null,
  workflow_id text not null,
  payload jsonb not null,
  attempts int not null default 0,
  last_error text,
  next_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  done_at timestamptz
);
create index outbox_due on outbox(next_at) where done_at is null;

create table idempotency (
  route text not null,
  key text not null,
  body_hash text not null,
  status int,
  reply jsonb,
  created_at timestamptz not null default now(),
  primary key (route, key)
);

create table settings (
  key text primary key,
  value jsonb not null,
  updated_at timestamptz not null default now(),
  updated_by text not null
);

create table adapters (
  adapter text primary key,
  detection jsonb not null,
  detected_at timestamptz not null default now()
);
`

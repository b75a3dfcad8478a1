import type { Knex } from 'knex'
import { type Kind, parseId } from '../contracts/ids.ts'
import { type Refusal, refuse } from './refusal.ts'

const TABLES: Readonly<Record<Kind, string>> = {
  project: 'projects',
  goal: 'goals',
  task: 'tasks',
  review: 'reviews',
  run: 'agent_runs',
  suggestion: 'suggestions',
}
type Named = Kind | 'profile'
const WORDS: Readonly<Record<Named, string>> = {
  project: 'project',
  goal: 'goal',
  task: 'task',
  review: 'review',
  run: 'agent run',
  suggestion: 'suggestion',
  profile: 'profile',
}
/** Commands that list them. */
const LISTS: Readonly<Record<Named, string>> = {
  project: 'projects',
  goal: 'goals',
  task: 'tasks',
  review: 'reviews',
  run: 'agents',
  suggestion: 'suggestions',
  profile: 'profiles',
}

const missing = (kind: Named, text: string): Refusal =>
  refuse('not_found', `There is no ${WORDS[kind]} ${JSON.stringify(text.slice(0, 100))}.`, {
    advice: `See which there are: dispatch ${LISTS[kind]}`,
  })

/**
 * The uuid of what a person named: a uuid or a short id such as G-12; for projects also name or path.
 * An id of another kind is not found. Only ids of rows that exist come back.
 */
export async function resolveId(
  knex: Knex,
  kind: Kind,
  text: string,
): Promise<{ id: string } | Refusal> {
  const id = parseId(text)
  const where = !id ? undefined : 'uuid' in id ? { id: id.uuid } : numberOf(id, kind)
  const row = where && (await live(knex, kind).where(where).first('id'))
  if (row) return { id: row.id }
  if (kind === 'project') return resolveProjectName(knex, text)
  return missing(kind, text)
}

const numberOf = (id: { kind: Kind; number: number }, kind: Kind) =>
  id.kind === kind ? { number: id.number } : undefined

function live(knex: Knex, kind: Kind): Knex.QueryBuilder {
  const query = knex(TABLES[kind])
  return kind === 'project' ? query.whereNull('removed_at') : query
}

async function resolveProjectName(knex: Knex, text: string): Promise<{ id: string } | Refusal> {
  if (text.includes('\u0000')) return missing('project', text) // Postgres refuses NUL in text
  const path = text.length > 1 ? text.replace(/\/+$/, '') : text
  const rows: { id: string; path: string }[] = await live(knex, 'project')
    .where((q) => q.where({ name: text }).orWhere({ path }))
    .select('id', 'path')
  const [first, ...others] = rows
  if (!first) return missing('project', text)
  if (others.length === 0) return { id: first.id }
  return refuse('ambiguous_name', `${rows.length} projects are named ${JSON.stringify(text)}.`, {
    advice: 'Name the project by its id or path.',
    current: { paths: rows.map((row) => row.path) },
  })
}

/** The uuid of a profile named by uuid or name. */
export async function resolveProfile(knex: Knex, text: string): Promise<{ id: string } | Refusal> {
  return profileNamed(text, (where) => knex('profiles').where(where).first('id'))
}

/** The same, and it is there until the transaction ends: `named` by others meanwhile, or `changed` by nobody else. */
export async function holdProfile(
  tx: Knex.Transaction,
  text: string,
  until: 'named' | 'changed' = 'named',
): Promise<{ id: string } | Refusal> {
  return profileNamed(text, (where) => {
    const row = tx('profiles').where(where).first('id')
    return until === 'named' ? row.forKeyShare() : row.forUpdate()
  })
}

async function profileNamed(
  text: string,
  find: (where: { id: string } | { name: string }) => PromiseLike<{ id: string } | undefined>,
): Promise<{ id: string } | Refusal> {
  if (text.includes('\u0000')) return missing('profile', text)
  const id = parseId(text)
  const byId = id && 'uuid' in id ? await find({ id: id.uuid }) : undefined
  const row = byId ?? (await find({ name: text }))
  return row ? { id: row.id } : missing('profile', text)
}

import type { Knex } from 'knex'
import { SYSTEM_STREAM, shortId } from '../contracts/ids.ts'
import { DEFAULT_PROFILE } from '../contracts/profile.ts'
import type { Suggestion } from '../contracts/schemas.ts'
import type { Tx } from './connect.ts'
import type { EmittedEvent } from './events.ts'
import { decodeCursor, type Page, type PageQuery, toPage } from './page.ts'
import { isRefusal, type Refusal, refuse } from './refusal.ts'

type Emit = (event: EmittedEvent) => void

interface SuggestionRow {
  id: string
  number: number
  project_id: string
  project_name: string
  text: string
  correction_ids: string[]
  status: Suggestion['status']
  decided_by: string | null
  decided_at: string | null
  created_at: string
  updated_at: string
}

/** So many of a project's corrections, the newest, are compared. */
const COMPARED = 500

export interface SaidBefore {
  id: string
  text: string
}

/**
 * The newest earlier corrections of the goal's project, oldest first. Those whose suggestion was accepted are spent, so that it takes
 * as many new ones again. The project is locked: two corrections at once see each other.
 */
export async function correctionsToCompare(
  tx: Tx,
  { goalId, exceptId }: { goalId: string; exceptId: string },
): Promise<{ projectId: string; corrections: SaidBefore[] }> {
  const { project_id: projectId } = await tx('goals').where({ id: goalId }).first('project_id')
  await tx('projects').where({ id: projectId }).forNoKeyUpdate().first('id')
  const rows: SaidBefore[] = await tx('corrections as c')
    .join('agent_runs as r', 'r.id', 'c.run_id')
    .join('goals as g', 'g.id', 'r.goal_id')
    .where('g.project_id', projectId)
    .whereNot('c.id', exceptId)
    .whereRaw(
      `not exists (select 1 from suggestions s
         where s.project_id = ? and s.status = 'accepted' and c.id = any(s.correction_ids))`,
      [projectId],
    )
    .orderBy('c.id', 'desc')
    .limit(COMPARED)
    .select('c.id', 'c.text')
  return { projectId, corrections: rows.reverse() }
}

/** Stores corrections alike as a suggestion, or lets the one grow that has some of them; one that was dismissed waits again then. */
export async function recordSuggestion(
  tx: Tx,
  emit: Emit,
  { projectId, ids, text }: { projectId: string; ids: readonly string[]; text: string },
): Promise<void> {
  const known: SuggestionRow | undefined = await tx('suggestions')
    .where({ project_id: projectId })
    .whereIn('status', ['pending', 'dismissed'])
    .whereRaw('correction_ids && ?::uuid[]', [[...ids]])
    .orderBy('id')
    .forUpdate()
    .first()
  if (known)
    await tx('suggestions')
      .where({ id: known.id })
      .update({
        text,
        correction_ids: [...new Set([...known.correction_ids, ...ids])],
        ...{ status: 'pending', decided_by: null, decided_at: null, updated_at: tx.fn.now() },
      })
  else await tx('suggestions').insert({ project_id: projectId, text, correction_ids: ids })
  emit(changed(projectId, 'dispatch'))
}

/** Suggestions that wait, or those of another state, oldest first; of one project or of all. */
export async function listSuggestions(
  knex: Knex,
  query: PageQuery & { projectId?: string | undefined; status: Suggestion['status'] },
): Promise<Page<Suggestion> | Refusal> {
  const after = decodeCursor(query.cursor)
  if (isRefusal(after)) return after
  const rows: SuggestionRow[] = await suggestionRows(knex)
    .where('s.status', query.status)
    .whereNull('p.removed_at')
    .modify((q) => {
      if (after) q.where('s.id', '>', after.id)
      if (query.projectId !== undefined) q.where('s.project_id', query.projectId)
    })
    .orderBy('s.id')
    .limit(query.limit + 1)
  return toPage(rows, query.limit, {
    item: await suggestionOf(knex, rows),
    position: (row) => ({ rank: 0, id: row.id }),
  })
}

/** One suggestion. The id is one that `resolveId` gave. */
async function suggestionDetail(knex: Knex, id: string): Promise<Suggestion> {
  const row: SuggestionRow = await suggestionRows(knex).where('s.id', id).first()
  const toSuggestion = await suggestionOf(knex, [row])
  return toSuggestion(row)
}

export interface SuggestionAnswer {
  id: string
  /** What to do with it: its text becomes a convention of the project or of a profile, or nothing. */
  answer:
    | { into: 'project' }
    | { into: 'profile'; profileId?: string | undefined }
    | { into: 'nothing' }
  /** The convention in the person's own words; absent means as it is suggested. */
  text?: string | undefined
  actor: string
}

/** Accepts or dismisses a suggestion, once. The same answer again changes nothing. */
export async function answerSuggestion(
  tx: Tx,
  emit: Emit,
  { id, answer, text, actor }: SuggestionAnswer,
): Promise<Suggestion | Refusal> {
  await tx('suggestions').where({ id }).forUpdate().first('id')
  const found = await suggestionDetail(tx, id)
  const wanted = answer.into === 'nothing' ? 'dismissed' : 'accepted'
  if (found.status === wanted) return found
  if (found.status !== 'pending')
    return refuse(
      'already_decided',
      `${found.shortId} was already ${found.status} by ${(found.decidedBy ?? 'somebody').replace(/^person:/, '')}.`,
      {
        advice: "Change the project's conventions in its settings instead.",
        current: { status: found.status, decidedBy: found.decidedBy, decidedAt: found.decidedAt },
      },
    )
  const profileId =
    answer.into === 'profile'
      ? (answer.profileId ?? (await profileNamed(tx, found.profileName)))
      : undefined
  if (answer.into === 'project')
    await addConvention(tx, 'projects', found.projectId, text ?? found.text)
  if (profileId !== undefined) await addConvention(tx, 'profiles', profileId, text ?? found.text)
  await tx('suggestions')
    .where({ id })
    .update({
      ...{ status: wanted, text: text ?? found.text, decided_by: actor },
      ...{ profile_id: profileId ?? null, decided_at: tx.fn.now(), updated_at: tx.fn.now() },
    })
  emit(changed(found.projectId, actor))
  if (profileId !== undefined)
    emit({
      ...{ type: 'settings.changed', stream: SYSTEM_STREAM, actor },
      data: { keys: ['profiles'] },
    })
  return suggestionDetail(tx, id)
}

/** One line more, unless it stands there already. */
async function addConvention(
  tx: Tx,
  table: 'projects' | 'profiles',
  id: string,
  text: string,
): Promise<void> {
  const row: { conventions: string } = await tx(table)
    .where({ id })
    .forNoKeyUpdate() // it may be named meanwhile
    .first('conventions')
  const line = `- ${text.trim().replace(/\s*\n\s*/g, ' ')}`
  if (row.conventions.split('\n').includes(line)) return
  const conventions = [row.conventions.trimEnd(), line].filter((part) => part !== '').join('\n')
  await tx(table).where({ id }).update({ conventions })
}

async function profileNamed(tx: Tx, name: string): Promise<string> {
  const row =
    (await tx('profiles').where({ name }).first('id')) ??
    (await tx('profiles').where({ name: DEFAULT_PROFILE }).first('id'))
  return row.id
}

const suggestionRows = (knex: Knex): Knex.QueryBuilder =>
  knex('suggestions as s')
    .join('projects as p', 'p.id', 's.project_id')
    .select('s.*', { project_name: 'p.name' })

interface SaidRow {
  id: string
  text: string
  created_by: string
  created_at: string
  number: number
  profile: { name: string }
}

/** Makes suggestions of these rows: what was said is read for all of them at once. */
async function suggestionOf(
  knex: Knex,
  rows: readonly SuggestionRow[],
): Promise<(row: SuggestionRow) => Suggestion> {
  const said: SaidRow[] = await knex('corrections as c')
    .join('agent_runs as r', 'r.id', 'c.run_id')
    .join('goals as g', 'g.id', 'r.goal_id')
    .whereRaw('c.id = any(?::uuid[])', [rows.flatMap((row) => row.correction_ids)])
    .orderBy('c.id')
    .select('c.id', 'c.text', 'c.created_by', 'c.created_at', 'r.number', 'g.profile')
  return (row) => {
    const ids = new Set(row.correction_ids)
    return toSuggestion(
      row,
      said.filter(({ id }) => ids.has(id)),
    )
  }
}

function toSuggestion(row: SuggestionRow, said: readonly SaidRow[]): Suggestion {
  return {
    id: row.id,
    shortId: shortId('suggestion', row.number),
    projectId: row.project_id,
    projectName: row.project_name,
    profileName: said.at(-1)?.profile.name ?? DEFAULT_PROFILE,
    text: row.text,
    status: row.status,
    corrections: said.map((one) => ({
      id: one.id,
      runShortId: shortId('run', one.number),
      text: one.text,
      by: one.created_by,
      at: one.created_at,
    })),
    decidedBy: row.decided_by,
    decidedAt: row.decided_at,
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  }
}

const changed = (projectId: string, actor: string): EmittedEvent => ({
  ...{ type: 'suggestion.changed', stream: SYSTEM_STREAM, actor },
  data: { projectId },
})

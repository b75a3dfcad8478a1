import type { Knex } from 'knex'
import { shortId } from '../../contracts/ids.ts'
import type { Profile, Project } from '../../contracts/schemas.ts'
import { decodeCursor, type Page, type PageQuery, toPage } from '../page.ts'
import { isRefusal, type Refusal } from '../refusal.ts'

interface ProjectRow {
  id: string
  number: number
  name: string
  path: string
  default_branch: string
  trusted: boolean
  checks: Project['checks']
  profile_id: string | null
  sandbox: Project['sandbox']
  network: Project['network']
  conventions: string
  created_at: string
}

const toProject = (row: ProjectRow): Project => ({
  id: row.id,
  shortId: shortId('project', row.number),
  name: row.name,
  path: row.path,
  defaultBranch: row.default_branch,
  trusted: row.trusted,
  checks: row.checks,
  profileId: row.profile_id,
  sandbox: row.sandbox,
  network: row.network,
  conventions: row.conventions,
  createdAt: row.created_at,
})

/** Projects, newest first; removed ones are not there. */
export async function listProjects(knex: Knex, query: PageQuery): Promise<Page<Project> | Refusal> {
  const after = decodeCursor(query.cursor)
  if (isRefusal(after)) return after
  const rows: ProjectRow[] = await knex('projects')
    .whereNull('removed_at')
    .modify((q) => (after ? q.where('id', '<', after.id) : q))
    .orderBy('id', 'desc')
    .limit(query.limit + 1)
  return toPage(rows, query.limit, {
    item: toProject,
    position: (row) => ({ rank: 0, id: row.id }),
  })
}

export async function projectDetail(knex: Knex, id: string): Promise<Project> {
  return toProject(await knex('projects').where({ id }).first())
}

interface ProfileRow {
  id: string
  name: string
  stages: Profile['stages']
  conventions: string
  second_opinion: Profile['secondOpinion']
  fallbacks: Profile['fallbacks']
  network: Profile['network']
  created_at: string
}
const toProfile = (row: ProfileRow): Profile => ({
  id: row.id,
  name: row.name,
  stages: row.stages,
  conventions: row.conventions,
  secondOpinion: row.second_opinion,
  fallbacks: row.fallbacks,
  network: row.network,
  createdAt: row.created_at,
})

/** All profiles, by name: there are few. */
export async function listProfiles(knex: Knex): Promise<Profile[]> {
  return (await knex('profiles').orderBy('name')).map(toProfile)
}

export async function profileDetail(knex: Knex, id: string): Promise<Profile> {
  return toProfile(await knex('profiles').where({ id }).first())
}

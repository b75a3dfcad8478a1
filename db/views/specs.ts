import type { Knex } from 'knex'
import type { SpecVersion } from '../../contracts/schemas.ts'

type Role = SpecVersion['role']
export interface SpecRow {
  version: number
  role: Role
  status: SpecVersion['status']
  content: SpecVersion['content']
  hash: string
  created_at: string
}

export const toSpecVersion = (row: SpecRow): SpecVersion => ({
  version: row.version,
  role: row.role,
  status: row.status,
  content: row.content,
  hash: row.hash,
  createdAt: row.created_at,
})

/** The newest version of each role. */
export async function latestSpecs(
  knex: Knex,
  goalId: string,
): Promise<Partial<Record<Role, SpecVersion>>> {
  const { rows } = await knex.raw(
    'select distinct on (role) * from specs where goal_id = ? order by role, version desc',
    [goalId],
  )
  return Object.fromEntries(rows.map((row: SpecRow) => [row.role, toSpecVersion(row)]))
}

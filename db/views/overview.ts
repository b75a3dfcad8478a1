import type { Knex } from 'knex'
import { shortId } from '../../contracts/ids.ts'
import type { Overview } from '../../contracts/schemas.ts'
import { OPEN_STATUSES } from '../../contracts/stages.ts'
import { readPause } from '../pool.ts'
import { readSettings } from '../settings.ts'
import { sumOf } from './ledger.ts'

/** What every page shows around its own content. `since`: ISO time that usage is counted from. */
export async function readOverview(
  knex: Knex,
  query: { since?: string | undefined },
): Promise<Omit<Overview, 'version'>> {
  const [projects, reviews, leases, pause, settings, usage] = await Promise.all([
    projectCounts(knex),
    knex('reviews').where({ status: 'pending' }).count({ count: '*' }).first(),
    poolCounts(knex),
    readPause(knex),
    readSettings(knex),
    sumOf(knex, { from: query.since }),
  ])
  return {
    projects,
    pendingReviews: Number(reviews?.['count'] ?? 0),
    pool: {
      paused: pause !== undefined,
      pausedBy: pause?.by ?? null,
      ...leases,
      maxConcurrent: settings.maxConcurrent,
    },
    usage,
  }
}

async function poolCounts(knex: Knex): Promise<{ held: number; waiting: number }> {
  const { rows } = await knex.raw(
    `select count(*) filter (where state = 'held')::int as held,
            count(*) filter (where state = 'waiting')::int as waiting
       from run_leases where state in ('held', 'waiting')`,
  )
  return rows[0]
}

/** By name, so that a project keeps its place. */
async function projectCounts(knex: Knex): Promise<Overview['projects']> {
  const open = OPEN_STATUSES.map((status) => `'${status}'`).join(', ')
  const { rows } = await knex.raw(
    `select p.id, p.number, p.name,
        count(*) filter (where g.status in (${open}))::int as open,
        count(*) filter (where g.status = 'needs_attention' or exists
          (select 1 from reviews v where v.goal_id = g.id and v.status = 'pending'))::int as waiting
       from projects p left join goals g on g.project_id = p.id
      where p.removed_at is null group by p.id order by lower(p.name), p.id`,
  )
  return rows.map((row: Overview['projects'][number] & { number: number }) => ({
    id: row.id,
    shortId: shortId('project', row.number),
    name: row.name,
    open: row.open,
    waiting: row.waiting,
  }))
}

import type { Knex } from 'knex'

/** A pause that is waited for rather than worked around. */
const SHORT_SECONDS = 60

/**
 * Agents whose provider asked for a pause that is not over for a while (`seconds`): name to the ISO time until then. A run of the same
 * agent that answered since says that it is over before its time; a short pause is no reason to go elsewhere.
 */
export async function coolingAdapters(
  knex: Knex,
  seconds = SHORT_SECONDS,
): Promise<Record<string, string>> {
  const rows: { adapter: string; until: Date | string }[] = await knex('agent_runs as r')
    .whereIn('r.exit_reason', ['rate_limit', 'quota'])
    .whereRaw(`r.until_at > now() + make_interval(secs => ?)`, [seconds])
    .whereRaw(
      `not exists (select 1 from agent_runs d where d.adapter = r.adapter and d.status = 'done' and d.ended_at > r.ended_at)`,
    )
    .groupBy('r.adapter')
    .select('r.adapter', knex.raw('max(r.until_at) as until'))
  return Object.fromEntries(
    rows.map(({ adapter, until }) => [adapter, new Date(until).toISOString()]),
  )
}

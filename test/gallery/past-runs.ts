import { createHash } from 'node:crypto'
import type { OwnStack } from '../support/own-stack.ts'

const DAY_MS = 86_400_000
const AGENTS = [
  { adapter: 'claude', model: 'claude-opus-4-8', hits: 0.9, told: true },
  { adapter: 'codex', model: 'gpt-5.5', hits: 0.7, told: false },
  { adapter: 'gemini', model: 'gemini-3-pro', hits: 0.2, told: false },
] as const

/** A month of runs of the first goal, so that the ledger has something to show: the same every time. */
export async function addPastRuns({ database: { knex } }: OwnStack): Promise<void> {
  const goal = await knex('goals').orderBy('number').first('id')
  const rows = Array.from({ length: 90 }, (_, n) => {
    const chance = (what: string) => createHash('md5').update(`${what}${n}`).digest()[0] ?? 0
    const { adapter, model, hits, told } = AGENTS[chance('agent') % 3] ?? AGENTS[0]
    const at = new Date(Date.now() - DAY_MS * (1 + (chance('day') % 29)))
    const all = 40_000 + chance('tokens') * 4_000
    const cost = (all / 1_000_000) * (told ? 3 : 1.5)
    return {
      ...{ id: idOf(at, n), goal_id: goal.id, stage: 'implement', attempt: 1_000 + n, segment: 1 },
      ...{ purpose: 'start', adapter, model, status: 'done', created_at: at, started_at: at },
      ...{ ended_at: at, tokens_in: Math.round(all * (1 - hits)), tokens_out: 2_000 },
      ...{ tokens_cache_read: Math.round(all * hits), tokens_reasoning: 500 },
      cost_usd: told ? cost : null,
      cost_estimate_usd: n % 30 === 7 ? null : cost,
      cache_saved_usd: cost * hits,
    }
  })
  await knex('agent_runs').insert(rows)
}

/** As old as the run, so that it is not listed among the newest. */
function idOf(at: Date, n: number): string {
  const time = at.getTime().toString(16).padStart(12, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${String(n).padStart(12, '0')}`
}

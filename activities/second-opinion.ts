import { AUTO } from '../contracts/agent.ts'
import type { VerifyOutput } from '../contracts/outputs.ts'
import type { SecondOpinion, StageAgent } from '../contracts/schemas.ts'
import { storable } from '../contracts/storable.ts'
import { budgetsOf } from '../db/budgets.ts'
import { coolingAdapters } from '../db/cooldowns.ts'
import { listSegments, type Opinion, type RunRow } from '../db/runs.ts'
import { type StageRow, storeSecondOpinion } from '../db/stages.ts'
import { listAdapters } from '../db/views/agents.ts'
import { chooseAgent } from '../domain/auto-model.ts'
import { type AgentOutcome, type Answered, answerIn, needsRun, runAgent } from './agent-run.ts'
import type { AgentWork } from './agent-work.ts'
import { problemsOf } from './conclude.ts'
import type { ActivityDeps } from './deps.ts'
import { budgetPlace } from './reserve.ts'

/** A provider's pause up to this long is waited for; a longer one makes the opinion a missing one. */
const PATIENCE_MS = 10 * 60_000

type Later = Extract<AgentOutcome, { type: 'parked' | 'budget' }>

/**
 * After verify has passed: another agent's judgement of the security items, where the profile asks for one. It is stored with the
 * attempt, or why there is none: the review says so. Answers what the stage has to wait for first, else undefined.
 */
export async function askSecondOpinion(
  deps: ActivityDeps,
  work: AgentWork,
  first: Answered,
): Promise<Later | undefined> {
  const wanted = wantedAgent(work, first)
  if (!wanted) return undefined
  const found = await agentFor(deps, work, { wanted, verifier: first.adapter })
  const store = (opinion: SecondOpinion) => storeSecondOpinion(deps.database, work.key, opinion)
  if ('missing' in found) return void (await store(notGiven(found.agent, 'missing', found.missing)))
  const { agent } = found
  if (work.facts.securitySpec?.content.items.length === 0)
    return void (await store(notGiven(agent, 'not_needed', 'the security spec names no item')))
  const outcome = await runAgent(deps, { ...work, opinion: 2, agent })
  switch (outcome.type) {
    case 'answered': {
      const { items } = storable(outcome.output) as VerifyOutput
      return void (await store({ ...named(agent), status: 'given', reason: null, items }))
    }
    case 'budget':
      return outcome
    case 'parked':
      if (outcome.untilMs - Date.now() <= PATIENCE_MS) return outcome
      return void (await store(notGiven(agent, 'missing', outcome.reason)))
    case 'failed':
      return void (await store(notGiven(agent, 'missing', outcome.reason)))
    default:
      return outcome satisfies never
  }
}

/** True when verify has passed and the opinion that is wanted beside it needs a run: until then it waits in line for its tokens. */
export function needsOpinion(
  { key, facts }: Pick<AgentWork, 'key' | 'facts'>,
  row: Pick<StageRow, 'checks' | 'second_opinion'>,
  segments: readonly RunRow[],
): boolean {
  if (key.stage !== 'verify' || row.second_opinion) return false
  const of = (opinion: Opinion) => segments.filter((run) => run.opinion === opinion)
  const first = answerIn(key, of(1))
  if (!first || !wantedAgent({ facts, checks: row.checks ?? undefined }, first)) return false
  return facts.securitySpec?.content.items.length !== 0 && needsRun(key, of(2))
}

/** Whose opinion the profile wants; nobody's where verify did not pass. */
function wantedAgent(
  { facts, checks = [] }: Pick<AgentWork, 'facts' | 'checks'>,
  { output }: Answered,
): StageAgent | null | undefined {
  const passed = problemsOf(checks, output as VerifyOutput).length === 0
  return passed ? facts.goal.profile.secondOpinion : undefined
}

const named = ({ adapter, model }: StageAgent) => ({ adapter, model: model ?? null })

const notGiven = (
  agent: StageAgent,
  status: 'missing' | 'not_needed',
  reason: string,
): SecondOpinion => ({
  ...named(agent),
  status,
  reason: storable(reason.slice(0, 2000)),
  items: [],
})

/** Who is asked, or why nobody can be. One that has begun goes on whatever was found out since. */
async function agentFor(
  { database: { knex } }: ActivityDeps,
  work: AgentWork,
  { wanted, verifier }: { wanted: StageAgent; verifier: string },
): Promise<{ agent: StageAgent } | { agent: StageAgent; missing: string }> {
  const begun = (await listSegments(knex, work.key, 2)).at(-1)
  if (begun) {
    const { adapter, model } = begun
    return { agent: { adapter, ...(model === null ? {} : { model }) } }
  }
  const [candidates, cooling, budgets] = await Promise.all([
    listAdapters(knex),
    coolingAdapters(knex),
    budgetsOf(knex, budgetPlace(work.key)),
  ])
  const others = candidates.filter(({ adapter }) => adapter !== verifier)
  const text = work.facts.goal.description
  const agent =
    wanted.adapter === AUTO
      ? chooseAgent({ for: 'security_spec', text, coolingUntil: cooling, budgets }, others)
      : wanted
  if (!agent) return { agent: wanted, missing: `no other agent than ${verifier} is installed` }
  const missing = whyNot(agent.adapter, { verifier, candidates, cooling })
  return missing === undefined ? { agent } : { agent, missing }
}

function whyNot(
  adapter: string,
  at: {
    verifier: string
    candidates: Awaited<ReturnType<typeof listAdapters>>
    cooling: Readonly<Record<string, string>>
  },
): string | undefined {
  if (adapter === at.verifier) return `${adapter} verified it itself`
  const found = at.candidates.find((one) => one.adapter === adapter)
  if (!found?.found)
    return `${adapter} is not installed: ${found?.advice ?? 'see dispatch adapters'}`
  if (found.login === 'needed') return `${adapter} is not logged in: ${found.advice ?? 'log in'}`
  const until = at.cooling[adapter]
  return until === undefined ? undefined : `its provider limits ${adapter} until ${until}`
}

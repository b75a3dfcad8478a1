import { AUTO } from '../contracts/agent.ts'
import { formatUtc } from '../contracts/figures.ts'
import type { StageAgent } from '../contracts/schemas.ts'
import type { AgentStage } from '../contracts/stages.ts'
import { type Candidate, chooseAgent } from './auto-model.ts'
import type { Allowance } from './budget.ts'

/** A stage that is about to begin a session of its own. */
export interface RouteWanted {
  stage: AgentStage
  /** What the person wrote: Auto Model reads it. */
  text: string
  assigned: StageAgent
  /** Who may take its place while it is limited or not there, the first choice first; `auto` leaves it to Auto Model. */
  fallbacks: readonly StageAgent[]
  /** Agents that their provider asked to leave alone: name to the ISO time until then. */
  coolingUntil: Readonly<Record<string, string>>
  /** With those whose pause is too short to go elsewhere for: no reason to begin with one of them while another is free. */
  pausedUntil: Readonly<Record<string, string>>
  /** The budgets that limit it: Auto Model looks at them. */
  budgets: readonly Allowance[]
}

export type Route =
  | { type: 'assigned'; agent: StageAgent }
  | { type: 'instead'; agent: StageAgent; reason: string }
  /** Nobody may take its place now. */
  | { type: 'limited'; until: string }

/**
 * Who works in a stage: the agent that the profile names, or while that one is limited, missing or not logged in the first of its
 * fallbacks that is ready. One that is not there and has no such fallback is asked all the same: its failure says what to do.
 */
export function routeAgent(wanted: RouteWanted, candidates: readonly Candidate[]): Route {
  const { assigned, coolingUntil } = wanted
  const why = unable(wanted, candidates)
  if (why === undefined) return { type: 'assigned', agent: assigned }
  const agent =
    firstReady({ ...wanted, coolingUntil: wanted.pausedUntil }, candidates) ??
    firstReady(wanted, candidates)
  if (agent)
    return {
      ...{ type: 'instead', agent },
      reason: `${agent.adapter} instead of ${assigned.adapter}, which ${why}`,
    }
  const until = coolingUntil[assigned.adapter]
  return until === undefined ? { type: 'assigned', agent: assigned } : { type: 'limited', until }
}

/** Why the assigned agent cannot begin now; of one that nobody has looked for yet nothing is known against it. */
function unable(
  { assigned: { adapter }, coolingUntil }: RouteWanted,
  candidates: readonly Candidate[],
): string | undefined {
  const until = coolingUntil[adapter]
  if (until !== undefined) return `its provider limits until ${formatUtc(new Date(until))}`
  const known = candidates.find((one) => one.adapter === adapter)
  if (known?.found === false) return 'is not installed'
  return known?.login === 'needed' ? 'is not logged in' : undefined
}

function firstReady(wanted: RouteWanted, candidates: readonly Candidate[]): StageAgent | undefined {
  for (const fallback of wanted.fallbacks) {
    const agent = fallback.adapter === AUTO ? chosen(wanted, candidates) : fallback
    if (agent && agent.adapter !== wanted.assigned.adapter && isReady(agent, wanted, candidates))
      return agent
  }
  return undefined
}

function chosen(
  { stage, text, coolingUntil, budgets }: RouteWanted,
  candidates: readonly Candidate[],
): StageAgent | undefined {
  const choice = chooseAgent({ for: stage, text, coolingUntil, budgets }, candidates)
  if (!choice) return undefined
  return { adapter: choice.adapter, ...(choice.model === undefined ? {} : { model: choice.model }) }
}

function isReady(
  { adapter }: StageAgent,
  { coolingUntil }: RouteWanted,
  candidates: readonly Candidate[],
): boolean {
  const found = candidates.find((one) => one.adapter === adapter)
  return found?.found === true && found.login !== 'needed' && coolingUntil[adapter] === undefined
}

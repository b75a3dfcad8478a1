import type { Detection } from '../contracts/agent.ts'
import { formatUtc } from '../contracts/figures.ts'
import type { AgentStage } from '../contracts/stages.ts'
import { type Allowance, littleLeft } from './budget.ts'
import { readSize } from './goal-size.ts'
import { type Intent, readIntent } from './intent.ts'

/** What has to be known of an agent to choose it. */
export type Candidate = Pick<Detection, 'adapter' | 'title' | 'found' | 'login' | 'demo'>

/** What is wanted: a stage of a goal, where quality comes first, or a mission, where speed does. */
export interface AgentWanted {
  for: AgentStage | 'mission'
  /** What the person wrote: intent and size are read from it. */
  text: string
  /** Agents that the provider asks to leave alone for now: name to the ISO time until then. */
  coolingUntil: Readonly<Record<string, string>>
  /** The budgets that limit the work: a cheaper model is taken where little is left of one. */
  budgets: readonly Allowance[]
}

/** `model` absent: the agent's own default. `reason` is one sentence for the person. */
export interface AgentChoice {
  adapter: string
  model?: string
  reason: string
}

/** Which agent suits a stage best, in this order (the product's table of default agents, then the next best). */
const BY_STAGE: Readonly<Record<AgentStage, readonly string[] | 'by intent'>> = {
  spec: ['codex', 'claude', 'gemini'],
  test_spec: ['claude', 'codex', 'gemini'],
  security_spec: ['codex', 'claude', 'gemini'],
  implement: 'by intent',
  frontend: ['gemini', 'claude', 'codex'],
  verify: ['claude', 'codex', 'gemini'],
  audit: ['claude', 'codex', 'gemini'],
}

/** Research goes to the agents that search the web, code to those that write it best, design to Gemini, audits to Claude. */
const BY_INTENT: Readonly<Record<Intent, readonly string[]>> = {
  research: ['claude', 'gemini', 'codex'],
  code: ['claude', 'codex', 'gemini'],
  design: ['gemini', 'claude', 'codex'],
  audit: ['claude', 'codex', 'gemini'],
}
/** Where speed comes first, the quicker of two that suit equally is asked first. */
const QUICK_RESEARCH: readonly string[] = ['gemini', 'claude', 'codex']

/** Models that answer quickly and cost little, by the names that the agents themselves accept. */
const QUICK_MODELS: Readonly<Record<string, string>> = {
  claude: 'haiku',
  gemini: 'gemini-2.5-flash',
}

/** Stages whose work on a small goal is small too. Who judges it is the best there is: a quick look is what misses things. */
const SHRINKING: readonly AgentStage[] = ['spec', 'test_spec', 'implement', 'frontend']

/**
 * The agent and model for some work, among those that are installed, logged in and not cooling down; the demo agent is never chosen.
 * Undefined when no agent is installed. When all of them cool down, the one that is free first is chosen and waits its time.
 */
export function chooseAgent(
  wanted: AgentWanted,
  candidates: readonly Candidate[],
): AgentChoice | undefined {
  const { ranking, because } = rank(wanted)
  const installed = candidates.filter(({ found, demo }) => found && !demo)
  const ready = installed.filter(({ login }) => login !== 'needed')
  const usable = byRank(ready.length > 0 ? ready : installed, ranking)
  const cooling = wanted.coolingUntil
  const best =
    usable.find(({ adapter }) => cooling[adapter] === undefined) ?? first(usable, cooling)
  if (!best) return undefined
  const { quick, why } = speed(wanted)
  const model = quick ? QUICK_MODELS[best.adapter] : undefined
  // what would have been, had the agent a quick model, is nothing to tell
  const told = quick && model === undefined ? '' : why
  const reason = sentence({ best, because, ranking, installed, cooling, why: told })
  return { adapter: best.adapter, ...(model === undefined ? {} : { model }), reason }
}

function rank(wanted: AgentWanted): { ranking: readonly string[]; because: string } {
  const byStage = wanted.for === 'mission' ? 'by intent' : BY_STAGE[wanted.for]
  if (byStage !== 'by intent')
    return { ranking: byStage, because: `the stage is ${wanted.for.replace('_', ' ')}` }
  const { intent, because } = readIntent(wanted.text)
  const quick = wanted.for === 'mission' && intent === 'research'
  const words = because.length > 0 ? ` ("${because.slice(0, 2).join('", "')}")` : ''
  return {
    ranking: quick ? QUICK_RESEARCH : BY_INTENT[intent],
    because: `the intent reads as ${intent}${words}`,
  }
}

/** Whether a quick and cheap model does, and what decided that, in words (empty: nothing spoke for one). */
function speed(wanted: AgentWanted): { quick: boolean; why: string } {
  const little = littleLeft(wanted.budgets)
  if (little !== undefined) return { quick: true, why: little }
  const { size, because } = readSize(wanted.text)
  if (size === 'large') return { quick: false, why: `a large one (${because}), no quick model` }
  if (wanted.for === 'mission') return { quick: true, why: 'speed first' }
  if (size === 'small' && SHRINKING.includes(wanted.for))
    return { quick: true, why: `a small one (${because}), a quick model will do` }
  return { quick: false, why: '' }
}

function byRank(candidates: readonly Candidate[], ranking: readonly string[]): Candidate[] {
  const place = ({ adapter }: Candidate) => {
    const at = ranking.indexOf(adapter)
    return at === -1 ? ranking.length : at
  }
  return candidates.toSorted((a, b) => place(a) - place(b))
}

function first(
  usable: readonly Candidate[],
  cooling: Readonly<Record<string, string>>,
): Candidate | undefined {
  const until = ({ adapter }: Candidate) => Date.parse(cooling[adapter] ?? '') || 0
  return usable.toSorted((a, b) => until(a) - until(b))[0]
}

function sentence(chosen: {
  best: Candidate
  because: string
  ranking: readonly string[]
  installed: readonly Candidate[]
  cooling: Readonly<Record<string, string>>
  why: string
}): string {
  const { best, because, ranking, installed, cooling, why } = chosen
  const passed = ranking
    .slice(0, Math.max(0, ranking.indexOf(best.adapter)))
    .map((name) => whyNot(name, installed, cooling))
  return `${[`${best.title}: ${because}`, passed.join(', '), why].filter(Boolean).join('; ')}.`
}

function whyNot(
  name: string,
  installed: readonly Candidate[],
  cooling: Readonly<Record<string, string>>,
): string {
  const detection = installed.find(({ adapter }) => adapter === name)
  if (!detection) return `${name} is not installed`
  if (detection.login === 'needed') return `${name} is not logged in`
  const until = cooling[name]
  return `${name} is limited until ${until === undefined ? 'later' : formatUtc(new Date(until))}`
}

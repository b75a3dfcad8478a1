import type { Detection } from '../contracts/agent.ts'
import { formatUtc } from '../contracts/figures.ts'
import type { AgentStage } from '../contracts/stages.ts'
import { type Intent, readIntent } from './intent.ts'

/** What has to be known of an agent to choose it. */
export type Candidate = Pick<Detection, 'adapter' | 'title' | 'found' | 'login' | 'demo'>

/** What is wanted: a stage of a goal, where quality comes first, or a mission, where speed does. */
export interface AgentWanted {
  for: AgentStage | 'mission'
  /** What the person wrote. */
  text: string
  /** Agents that the provider asks to leave alone for now: name to the ISO time until then. */
  coolingUntil?: Readonly<Record<string, string>>
  /** Little of the budget is left: a cheaper model is taken. */
  thrifty?: boolean
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
  const cooling = wanted.coolingUntil ?? {}
  const best =
    usable.find(({ adapter }) => cooling[adapter] === undefined) ?? first(usable, cooling)
  if (!best) return undefined
  const model = wanted.for === 'mission' || wanted.thrifty ? QUICK_MODELS[best.adapter] : undefined
  const reason = sentence({ best, because, ranking, installed, cooling, model, wanted })
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
  model: string | undefined
  wanted: AgentWanted
}): string {
  const { best, because, ranking, installed, cooling, model, wanted } = chosen
  const passed = ranking
    .slice(0, Math.max(0, ranking.indexOf(best.adapter)))
    .map((name) => whyNot(name, installed, cooling))
  const instead = passed.length > 0 ? `; ${passed.join(', ')}` : ''
  const quick =
    model === undefined ? '' : wanted.thrifty ? ', little budget is left' : ', speed first'
  return `${best.title}: ${because}${instead}${quick}.`
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

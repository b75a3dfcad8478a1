import type { StepUsage } from '../model-server/step.ts'
import type { OwnStack } from '../support/own-stack.ts'
import type { Actor } from './cast.ts'

/** What the scripted model says it served, by goal and agent. */
export interface Bill {
  charge(goal: string, actor: Actor, usage: StepUsage): void
  /** Tokens that an answer named as it began; it broke off. */
  begin(goal: string, actor: Actor, usage: StepUsage): void
  of(goal: string, actor: Actor): StepUsage
  begun(goal: string, actor: Actor): StepUsage
  answers(actor: Actor): number
  total(actor: Actor): StepUsage
}

const KEYS = ['input', 'output', 'cacheRead', 'cacheWrite'] as const
const NOTHING: Readonly<StepUsage> = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }

export function createBill(): Bill {
  const lines: { goal: string; actor: Actor; usage: StepUsage }[] = []
  const broken: typeof lines = []
  const sum = (usages: readonly StepUsage[]) => usages.reduce(add, { ...NOTHING })
  const of = (is: (line: (typeof lines)[number]) => boolean, all = lines) =>
    sum(all.filter(is).map(({ usage }) => usage))
  const isOf = (goal: string, actor: Actor) => (line: (typeof lines)[number]) =>
    line.goal === goal && line.actor === actor
  return {
    charge(goal, actor, usage) {
      // its provider takes nothing for writing a cache
      const taken = actor === 'gemini' ? { ...usage, cacheWrite: 0 } : usage
      lines.push({ goal, actor, usage: taken })
    },
    begin: (goal, actor, usage) => void broken.push({ goal, actor, usage }),
    of: (goal, actor) => of(isOf(goal, actor)),
    begun: (goal, actor) => of(isOf(goal, actor), broken),
    answers: (actor) => lines.filter((line) => line.actor === actor).length,
    total: (actor) => of((line) => line.actor === actor),
  }
}

interface LedgerLine extends StepUsage {
  goal: string
  adapter: string
  /** One of its runs ended without an answer. */
  failed: boolean
}

/** What Dispatch's own ledger says, by goal and agent. */
export async function readLedger(at: OwnStack): Promise<LedgerLine[]> {
  const { rows } = await at.database.knex.raw(
    `select g.title goal, r.adapter, sum(r.tokens_in)::int input, sum(r.tokens_out)::int output,
       sum(r.tokens_cache_read)::int "cacheRead", sum(r.tokens_cache_write)::int "cacheWrite",
       bool_or(r.status <> 'done') failed
     from agent_runs r join goals g on g.id = r.goal_id group by 1, 2`,
  )
  return rows
}

/** The protocol tells tokens with the answer of a turn only, as the agent sums them up itself: those of a turn that fails are told by nobody. */
const MAY_NOT_KNOW: Actor = 'acp:claude'
/** An answer that broke off is counted by what it named as it began. */
const COUNTS_BEGUN: readonly Actor[] = ['claude', MAY_NOT_KNOW]

/** Where the two differ, in words; none is well. */
export function differences(
  bill: Bill,
  ledger: readonly LedgerLine[],
  at: { goal: string; actors: readonly Actor[] },
): string[] {
  return at.actors.flatMap((actor) => {
    const served = bill.of(at.goal, actor)
    const line = ledger.find(({ goal, adapter }) => goal === at.goal && adapter === actor)
    const told = line ?? NOTHING
    const begun = COUNTS_BEGUN.includes(actor) ? bill.begun(at.goal, actor) : NOTHING
    const isBlind = actor === MAY_NOT_KNOW && line?.failed === true
    const agrees = (key: (typeof KEYS)[number]) =>
      (isBlind || told[key] >= served[key]) && told[key] <= served[key] + begun[key]
    return KEYS.filter((key) => !agrees(key)).map(
      (key) => `${actor}: the model served ${served[key]} of ${key}, the ledger has ${told[key]}`,
    )
  })
}

export const add = (a: StepUsage, b: StepUsage): StepUsage => ({
  input: a.input + b.input,
  output: a.output + b.output,
  cacheRead: a.cacheRead + b.cacheRead,
  cacheWrite: a.cacheWrite + b.cacheWrite,
})

import { randomOf } from '../chaos/schedule.ts'
import type { PlainStep } from '../model-server/step.ts'

/** What a provider does to a request now and then. */
const FAULTS: Readonly<Record<string, PlainStep>> = {
  'internal error': fail(500, 'api_error', 'internal server error'),
  overloaded: fail(529, 'overloaded_error', 'Overloaded'),
  'come back in 1 s': fail(429, 'rate_limit_error', 'too many requests', '1'),
  'come back in 20 s': fail(429, 'rate_limit_error', 'too many requests', '20'),
  'cut off': { do: 'drop' },
  'no event stream': { do: 'garbage' },
  'no answer': { do: 'hang' },
  'half an answer': { do: 'stall' },
}
/** These take the agent's whole patience each time, so they come one at a time. */
const SILENT: ReadonlySet<string> = new Set(['no answer', 'half an answer'])
/** One that the agent gets over by itself, and one that outlasts its own tries, so that Dispatch has to. */
const LENGTHS = [1, 5] as const
const PER_REQUEST = 0.06
const MOST_PER_GOAL = 4

/** The faults of a night by goal. Each goal has its own dice, thrown once a request, so that the others do not change them. */
export interface Faults {
  /** What happens to the goal's next request instead of an answer. */
  strike(goal: string): PlainStep | undefined
  /** What struck the goal so far, in words. */
  of(goal: string): readonly string[]
}

export function createFaults(seed: number): Faults {
  const goals = new Map<string, { random: () => number; told: string[]; left: PlainStep[] }>()
  const stateOf = (goal: string) => {
    const number = [...goal].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, seed)
    const state = goals.get(goal) ?? { random: randomOf(number), told: [], left: [] }
    goals.set(goal, state)
    return state
  }
  return {
    strike(goal) {
      const { random, told, left } = stateOf(goal)
      const pending = left.shift()
      if (pending) return pending
      if (told.length >= MOST_PER_GOAL || random() > PER_REQUEST) return undefined
      const name = pick(Object.keys(FAULTS), random)
      const step = FAULTS[name] as PlainStep
      const length = SILENT.has(name) ? 1 : pick(LENGTHS, random)
      left.push(...Array.from({ length: length - 1 }, () => step))
      told.push(length === 1 ? name : `${name} (${length} times)`)
      return step
    },
    of: (goal) => stateOf(goal).told,
  }
}

const pick = <T>(from: readonly T[], random: () => number): T =>
  from[Math.floor(random() * from.length)] as T

function fail(status: number, type: string, message: string, seconds?: string): PlainStep {
  const headers = seconds === undefined ? {} : { headers: { 'retry-after': seconds } }
  return { do: 'fail', status, type, message, ...headers }
}

import type { AgentEvent, Usage } from '../contracts/agent.ts'
import { storable } from '../contracts/storable.ts'
import { createRedactor } from './redact.ts'

/** Between an adapter and the log: makes events safe to store and joins text that comes in tiny pieces. */
export interface Intake {
  add(event: AgentEvent): void
  /** Whatever text is still waiting. */
  flush(): void
}

/** Text is stored at most this often, in milliseconds. */
const TEXT_EVERY_MS = 20
/** A flood is stored in pieces of this size, without waiting. */
const MAX_TEXT_CHARS = 64 * 1024
/** Longest string inside any other event. */
const MAX_STRING_CHARS = 256 * 1024
/** Lists and objects inside each other; no answer that is asked for has so many, and what goes through them all one in another has a stack. */
const MAX_DEPTH = 200

/** No run uses or costs more: sums of many such are still exact numbers, which Postgres stores. */
const MOST_TOKENS = 1e12
const MOST_USD = 1e7

type Flow = 'text' | 'reasoning'
type UsageEvent = Extract<AgentEvent, { type: 'usage' }>

/**
 * `env`: the agent's environment, whose secrets are taken out. `store` gets the finished events, in order. The end of a text that may be
 * the beginning of a secret waits for the next piece, or for the next event that is not text.
 */
export function createIntake(
  env: Readonly<Record<string, string>>,
  store: (event: AgentEvent) => void,
): Intake {
  const redactor = createRedactor(env)
  const streams = { text: redactor.stream(), reasoning: redactor.stream() }
  let flow: Flow = 'text'
  let pending = ''
  let lastStored = Number.NEGATIVE_INFINITY
  let timer: NodeJS.Timeout | undefined

  const storePending = () => {
    clearTimeout(timer)
    timer = undefined
    if (pending === '') return
    store({ type: flow, text: pending })
    pending = ''
    lastStored = performance.now()
  }
  const flush = () => {
    pending += streams[flow].flush()
    storePending()
  }
  const addText = (kind: Flow, text: string) => {
    if (kind !== flow) flush()
    flow = kind
    pending += streams[kind].push(storable(text))
    if (pending === '') return
    const wait = lastStored + TEXT_EVERY_MS - performance.now()
    if (wait <= 0 || pending.length >= MAX_TEXT_CHARS) return storePending()
    timer ??= setTimeout(storePending, wait)
  }
  return {
    flush,
    add(event) {
      if (event.type === 'text' || event.type === 'reasoning')
        return addText(event.type, event.text)
      flush()
      const told = event.type === 'usage' ? countable(event) : event
      store(redactor.value(storable(bounded(told))) as AgentEvent)
    },
  }
}

/** An agent may tell anything for a number. What is none counts as no tokens, and as a cost that is unknown. */
function countable({ usage, costUsd }: UsageEvent): UsageEvent {
  const counts = Object.entries(usage).map(([of, told]): [string, number] => [
    of,
    told > 0 ? Math.min(Math.round(Number(told)), MOST_TOKENS) : 0,
  ])
  const isCost = typeof costUsd === 'number' && costUsd >= 0 && costUsd <= MOST_USD
  const known = Object.fromEntries(counts) as unknown as Usage
  return { type: 'usage', usage: known, ...(isCost ? { costUsd } : {}) }
}

function bounded(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    const kept = value.slice(0, MAX_STRING_CHARS)
    const dropped = value.length - kept.length
    return dropped > 0 ? `${kept}… (${dropped} characters dropped)` : kept
  }
  if (typeof value !== 'object' || value === null) return value
  if (depth === MAX_DEPTH) return '… (too deep: dropped)'
  if (Array.isArray(value)) return value.map((inner) => bounded(inner, depth + 1))
  const entries = Object.entries(value).map(([key, inner]) => [key, bounded(inner, depth + 1)])
  return Object.fromEntries(entries)
}

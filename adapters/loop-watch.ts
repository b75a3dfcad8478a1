import type { AgentEvent, TerminalEvent } from '../contracts/agent.ts'
import type { AgentSession } from './adapter.ts'

/**
 * So many equal calls in a row are a loop. Gemini CLI ends at 5, whatever came of them; here a call counts only when its result was the same
 * too, and looking a few times whether something has changed is honest work.
 */
const EQUAL_CALLS = 10
/** A call that took this long waited for something, such as a build: no spinning. Its time is limited by the budget and the silence watch. */
const WAITED_MS = 5000
/** One that sleeps by its own words waits sooner. */
const [SLEEPS, SLEPT_MS] = [/\bsleep\b/i, 1000]

export interface LoopWatch {
  /** What the agent does over and over, in words, at the call that makes it a loop. */
  sees(event: AgentEvent): string | undefined
}

/**
 * Notices an agent that uses one tool with one input again and again and gets one result. Whatever else happens in between is progress:
 * another call, another result, a changed file (an edit's input tells its file and not its text), a person's correction.
 */
export function createLoopWatch(now: () => number = () => performance.now()): LoopWatch {
  const running = new Map<string, { name: string; input: string; since: number }>()
  let last = ''
  let count = 0

  const forget = () => {
    last = ''
    count = 0
  }
  function ended({ callId, ok, output }: AgentEvent & { type: 'tool_result' }): string | undefined {
    const call = running.get(callId)
    running.delete(callId)
    if (!call) return undefined
    const { name, input, since } = call
    if (now() - since >= (SLEEPS.test(input) ? SLEPT_MS : WAITED_MS)) return void forget()
    const done = JSON.stringify([name, input, ok, output])
    if (done !== last) forget()
    last = done
    count += 1
    if (count < EQUAL_CALLS) return undefined
    const what = input.length > 200 ? `${input.slice(0, 200)}…` : input
    return `${name} was called ${count} times in a row with the same input and the same result: ${what}`
  }
  return {
    sees(event) {
      switch (event.type) {
        case 'tool':
          running.set(event.callId, { name: event.name, input: event.input, since: now() })
          return undefined
        case 'tool_result':
          return ended(event)
        case 'file':
          return void forget()
        case 'correction':
          return event.state === 'applied' ? void forget() : undefined
        default:
          return undefined
      }
    },
  }
}

/** The same session, interrupted at a loop: it ends as `failed`/`loop` then. What it answered all the same counts. */
export function endingLoops(session: AgentSession): AgentSession {
  async function* events(): AsyncGenerator<AgentEvent> {
    const watch = createLoopWatch()
    let loop: TerminalEvent | undefined
    for await (const event of session.events) {
      if (!loop) {
        const why = watch.sees(event)
        if (why !== undefined) {
          loop = { type: 'failed', reason: 'loop', detail: `Loop detected: ${why}` }
          session.interrupt()
        }
      }
      yield loop && event.type === 'failed' ? loop : event
    }
  }
  return { ...session, events: events() }
}

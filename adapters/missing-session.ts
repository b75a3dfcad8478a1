import type { AgentEvent, TerminalEvent } from '../contracts/agent.ts'
import type { AgentSession } from './adapter.ts'

/** The session of an agent that cannot be started: it ends as `failed`/`missing` with what to do. */
export const missingSession = (detail: string): AgentSession =>
  endedSession({ type: 'failed', reason: 'missing', detail })

/** A session that is over before it began. */
export function endedSession(terminal: TerminalEvent): AgentSession {
  async function* events(): AsyncGenerator<AgentEvent> {
    yield terminal
  }
  return { events: events(), correct: () => undefined, interrupt: () => undefined }
}

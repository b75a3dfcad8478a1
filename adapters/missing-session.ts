import type { AgentEvent } from '../contracts/agent.ts'
import type { AgentSession } from './adapter.ts'

/** The session of an agent that cannot be started: it ends as `failed`/`missing` with what to do. */
export function missingSession(detail: string): AgentSession {
  async function* events(): AsyncGenerator<AgentEvent> {
    yield { type: 'failed', reason: 'missing', detail }
  }
  return { events: events(), correct: () => undefined, interrupt: () => undefined }
}

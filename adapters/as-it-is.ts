import type { AgentEvent } from '../contracts/agent.ts'

const MAX_CHARS = 500

/** A message that cannot be read, because another version puts it in another way, is kept as it is: it ends no run whose work is paid for. */
export function orAsItIs(message: unknown, read: () => AgentEvent[]): AgentEvent[] {
  try {
    return read()
  } catch {
    const text = JSON.stringify(message).slice(0, MAX_CHARS)
    return [{ type: 'notice', level: 'warn', text: `Not understood: ${text}` }]
  }
}

import type { AgentEvent } from '../contracts/agent.ts'

const CHARACTERS_PER_TOKEN = 4

/** Where an estimate begins; `before` and `told`: what a worker that is gone has estimated and seen. */
interface Begun {
  prompt: string
  before: number
  told: boolean
}

/**
 * About how many tokens a run has used while its agent tells none: each response reads all that was said before it. What the agent adds by
 * itself (its own prompt, the session so far) is not in it. Answers 0 from the first count that the agent tells on.
 */
export function createTokenEstimate({ prompt, before, told: toldBefore }: Begun) {
  let tokens = before
  let said = prompt.length
  let responding = false
  let told = toldBefore

  function see(event: AgentEvent): void {
    switch (event.type) {
      case 'text':
      case 'reasoning':
        respond(event.text)
        break
      case 'tool':
        respond(event.input)
        break
      case 'tool_result':
        said += event.output.length
        responding = false
        break
      case 'usage':
        told = true
        break
      default:
    }
  }

  function respond(words: string): void {
    if (!responding) tokens += said / CHARACTERS_PER_TOKEN
    responding = true
    said += words.length
    tokens += words.length / CHARACTERS_PER_TOKEN
  }

  return (batch: readonly AgentEvent[]): number => {
    for (const event of batch) see(event)
    return told ? 0 : Math.ceil(tokens)
  }
}

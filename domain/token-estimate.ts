import { type AgentEvent, totalTokens } from '../contracts/agent.ts'
import { isUnbilled } from './failures.ts'

const CHARACTERS_PER_TOKEN = 4

/**
 * About how many tokens a run has used that its agent has not told: each request reads all that was said before it, from when it is handed
 * over. What the agent adds by itself (its own prompt, the session so far) is not in it. A count that the agent tells takes the place of
 * all before it but what broke; what comes after that is estimated again, so 0 means that nothing is unknown. Who follows a run that
 * somebody else began shows it the run's events so far.
 */
export function createTokenEstimate(prompt: string) {
  // in characters
  let said = prompt.length
  /** Of requests that were answered. */
  let past = 0
  /** Of requests that broke and were made again: no later count has them. */
  let broken = 0
  /** Of the last request: what it reads, and its answer so far. */
  let open = 0
  let answering = false
  let begun = false

  function see(event: AgentEvent): void {
    switch (event.type) {
      case 'session':
        if (!(begun || event.ahead)) handOver('')
        break
      case 'text':
      case 'reasoning':
        answer(event.text)
        break
      case 'tool':
        answer(event.input)
        break
      case 'tool_result':
        handOver(event.output)
        break
      case 'correction':
        if (event.state === 'applied') handOver('')
        break
      case 'usage':
        // some agents, and gateways between them and their model, say 0 for what they do not know
        if (totalTokens(event.usage) === 0) break
        begun = true
        past = 0
        open = 0
        answering = true
        break
      case 'retry':
        if (isUnbilled(event.reason)) break
        broken += open
        open = 0
        handOver('')
        break
      case 'failed':
        if (isUnbilled(event.reason)) open = 0
        break
      default:
    }
  }

  function handOver(words: string): void {
    begun = true
    if (answering) past += open
    answering = false
    said += words.length
    open = said
  }

  function answer(words: string): void {
    if (!answering) handOver('')
    answering = true
    said += words.length
    open += words.length
  }

  return (batch: readonly AgentEvent[]): number => {
    for (const event of batch) see(event)
    return Math.ceil((past + open + broken) / CHARACTERS_PER_TOKEN)
  }
}

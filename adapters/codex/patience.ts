import type { FailureReason, TerminalEvent } from '../../contracts/agent.ts'
import { failureOf } from './failures.ts'
import type { RateLimits, TurnError } from './wire.ts'

/**
 * Codex tries again by itself for half a minute, and for as long as the provider asks (an hour), and for ever without a network. A run that
 * waits holds a place in the pool, so Dispatch decides about waiting: after a few tries, or some seconds without an answer, the run ends
 * with the reason of its last error.
 */
export interface Patience {
  failedOnce(error: TurnError, limits: RateLimits | undefined): void
  /** The model answered. */
  answered(): void
  /** True while Codex is left to try again: the silence is told and counted. */
  isTrying(): boolean
  stop(): void
}

const TRIES = 3
const WAIT_MS = 10_000

/** A second try is for a login that was being renewed meanwhile; then it will not get better. */
const HOPELESS: readonly FailureReason[] = ['auth', 'model', 'refused', 'context']

function triesFor(reason: FailureReason): number {
  // told after the fifth request
  if (reason === 'overloaded') return 1
  return HOPELESS.includes(reason) ? 2 : TRIES
}

export function createPatience(end: (terminal: TerminalEvent) => void): Patience {
  let tries = 0
  let timer: NodeJS.Timeout | undefined
  const stop = () => {
    clearTimeout(timer)
    timer = undefined
  }
  return {
    failedOnce(error, limits) {
      tries += 1
      stop()
      const terminal = failureOf(error, limits)
      if (terminal.type !== 'failed') return
      if (tries >= triesFor(terminal.reason)) return end(terminal)
      timer = setTimeout(() => end(terminal), WAIT_MS)
    },
    answered() {
      tries = 0
      stop()
    },
    isTrying: () => timer !== undefined,
    stop,
  }
}

export interface Patience {
  /** A turn has passed; true when it is over by now. */
  turn(): boolean
  /** From the beginning. */
  again(): void
}

/**
 * At least `seconds`, in turns of `turnMs` that this process had. A clock goes on while a machine sleeps or a container is frozen, and whoever
 * is waited for stands still then as we do: of such a time this counts one turn, so that nobody is taken for silent because of it.
 */
export function createPatience(seconds: number, turnMs: number): Patience {
  // the first turn is as good as over when it begins just before a look
  const turns = Math.ceil((seconds * 1000) / turnMs) + 1
  let passed = 0
  return {
    turn() {
      passed += 1
      return passed >= turns
    },
    again() {
      passed = 0
    },
  }
}

const TURN_MS = 1000

/** Calls `then` once after `seconds` of patience, unless the returned function was called before. */
export function afterPatience(seconds: number, then: () => void): () => void {
  const turnMs = Math.min(TURN_MS, (seconds * 1000) / 4)
  const patience = createPatience(seconds, turnMs)
  const timer = setInterval(() => {
    if (!patience.turn()) return
    clearInterval(timer)
    then()
  }, turnMs)
  return () => clearInterval(timer)
}

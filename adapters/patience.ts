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

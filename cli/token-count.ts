import { parseTokenCount } from '../contracts/token-count.ts'
import { usageFailure } from './failure.ts'

/** A budget that a person wrote. Throws a usage failure that says how to write one. */
export function tokenCount(what: string, text: string): number {
  const count = parseTokenCount(text)
  if (count === undefined)
    throw usageFailure(
      `${what} cannot be "${text}": write tokens as 50000, 2_000_000, 200k or 1.5m; 0 is unlimited.`,
    )
  return count
}

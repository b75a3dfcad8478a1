import { execFileSync } from 'node:child_process'

/** What the start of a bare Node process takes on a quiet machine, in ms. */
const QUIET_START_MS = 40

/**
 * So many ms of a quiet machine, as they are now: a promise in seconds is about the program, not about what else the machine has to
 * do. Measured by the start of a bare Node process.
 */
export function atThisPace(ms: number): number {
  const started = performance.now()
  execFileSync(process.execPath, ['-e', '0'])
  return ms * Math.max(1, (performance.now() - started) / QUIET_START_MS)
}

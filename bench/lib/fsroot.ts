import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** More than this and a benchmark over many files measures the disk image, not git. */
const MAX_US = 100

/**
 * A new folder for benchmarks over many files: `BENCH_DIR`, or memory where there is some. Says what it costs to create
 * a file there, and refuses a place where that hides everything else.
 */
export function fileRoot(say: (line: string) => void): string {
  const parent = process.env['BENCH_DIR'] ?? (usable('/dev/shm') ? '/dev/shm' : tmpdir())
  const root = mkdtempSync(join(parent, 'dispatch-bench-'))
  const cost = createCost(root)
  say(`files in ${parent}: ${cost.toFixed(0)} us to create one`)
  if (cost > MAX_US) {
    rmSync(root, { recursive: true })
    throw new Error(
      `${parent} takes ${cost.toFixed(0)} us to create a file (at most ${MAX_US}): set BENCH_DIR to a quicker one`,
    )
  }
  return root
}

function createCost(root: string): number {
  const folder = mkdtempSync(join(root, 'cost-'))
  const started = performance.now()
  for (let n = 0; n < 1000; n += 1) writeFileSync(join(folder, String(n)), 'x')
  const cost = performance.now() - started // ms for 1000 files is us for one
  rmSync(folder, { recursive: true })
  return cost
}

function usable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK)
    return true
  } catch {
    return false // not on this system
  }
}

import { existsSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The repository that `cwd` is in, found by walking up to a `.git`; undefined outside one. */
export function gitRoot(cwd: string): string | undefined {
  let dir = realpathSync(cwd)
  while (!existsSync(join(dir, '.git'))) {
    const parent = dirname(dir)
    if (parent === dir) return undefined
    dir = parent
  }
  return dir
}

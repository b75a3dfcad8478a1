import { judgeFile } from '../domain/blast-radius.ts'
import type { Git } from '../git/git.ts'
import type { ApiDeps } from './deps.ts'

/** Reads a diff from a project's clean hub and says of each file how risky its change is. */
export function createReadDiff(git: Pick<Git, 'diff'>): ApiDeps['readDiff'] {
  return async (range) => {
    const { hash, files, patch, truncated } = await git.diff(range)
    const shown = files.map((file) => ({
      path: file.path,
      oldPath: file.oldPath ?? null,
      status: file.status,
      additions: file.additions,
      deletions: file.deletions,
      binary: file.binary,
      ...judgeFile(file),
    }))
    return { hash, files: shown, patch, truncated }
  }
}

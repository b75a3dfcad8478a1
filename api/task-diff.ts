import { TOO_LARGE } from '../contracts/stages.ts'
import { judgedFile } from '../domain/blast-radius.ts'
import { filePatches } from '../git/diff.ts'
import type { Git } from '../git/git.ts'
import type { ApiDeps } from './deps.ts'

/** Reads a diff from a project's clean hub and says of each file how risky its change is. */
export function createReadDiff(git: Pick<Git, 'diff'>): ApiDeps['readDiff'] {
  return async (range) => {
    const { hash, files, patch, truncated } = await git.diff(range)
    return { hash, files: files.map(judgedFile), patch, truncated }
  }
}

/** A file's part that is longer waits until it is asked for, and so does all that comes after so much. Characters. */
const FILE_LIMIT = 200_000
const TOTAL_LIMIT = 1_500_000
const NO_CONTENT = /^0+$/

/** Reads a diff as a review shows it: file by file, each with its part of the text. */
export function createReadReviewDiff(git: Pick<Git, 'diff'>): ApiDeps['readReviewDiff'] {
  return async ({ path, ...range }) => {
    // a renamed file is only known as renamed beside its old name, so the list comes first
    const all = await git.diff(range)
    const wanted = path === undefined ? undefined : all.files.find((file) => file.path === path)
    const paths = wanted && [wanted.path, ...(wanted.oldPath === undefined ? [] : [wanted.oldPath])]
    const read = paths && all.truncated ? await git.diff({ ...range, paths }) : all
    const patches = filePatches(read.files, read.patch).map((parts) => parts.join(''))
    let total = 0
    const files = read.files.flatMap((file, index) => {
      if (path !== undefined && file.path !== path) return []
      const patch = patches[index] ?? ''
      const whole = !file.suspicious.includes(TOO_LARGE)
      const long = patch.length > FILE_LIMIT || total + patch.length > TOTAL_LIMIT || !whole
      const left = path === undefined && long
      if (!left) total += patch.length
      const blob = NO_CONTENT.test(file.ids.after) ? null : file.ids.after
      return [{ ...judgedFile(file), blob, patch: left ? null : patch }]
    })
    return { hash: all.hash, files, truncated: path === undefined ? all.truncated : read.truncated }
  }
}

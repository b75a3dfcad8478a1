import { type ProjectLayout, personObjects } from './layout.ts'
import type { GitRunner } from './run.ts'

/**
 * Whether a repository has nothing to do with a commit that was approved: it holds neither that one, nor in `head` any that comes before
 * it. Another repository was put in its place, or a clone of one whose whole history was made anew. Who rewrites it where it is still has
 * the old commits beside.
 */
export async function isForeign(
  git: GitRunner,
  { layout, commonDir }: { layout: ProjectLayout; commonDir: string },
  { approved, head }: { approved: string; head: string },
): Promise<boolean> {
  const [holds, meets] = await Promise.all([
    git.succeeds(['cat-file', '-e', `${approved}^{commit}`], personObjects(layout, commonDir)),
    git.succeeds(['merge-base', approved, head], { gitDir: layout.clean }),
  ])
  return !holds && !meets
}

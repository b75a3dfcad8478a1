import { rm } from 'node:fs/promises'
import { staged } from './in-the-way.ts'
import type { GitCall, GitRunner } from './run.ts'
import { lines, placeIn } from './tree.ts'

/**
 * Puts files of a checkout back that a move from one commit to another wrote before it could write no more. The index is as it was; what
 * it has is what those files were, but for names that the person changed in it, which no move writes.
 */
export async function putBack(
  git: GitRunner,
  call: GitCall,
  { path, from, to }: { path: string; from: string; to: string },
): Promise<void> {
  const own = await staged(git, call, from)
  const changed = async (filter: string) => {
    const what = ['-r', '-z', '--name-only', '--no-renames', `--diff-filter=${filter}`]
    const { stdout } = await git.run(['diff-tree', ...what, from, to], call)
    return lines(stdout).filter((name) => !own.has(name))
  }
  for (const name of await changed('A')) await rm(placeIn({ path }, name), { force: true })
  const input = Buffer.from((await changed('a')).map((name) => `${name}\0`).join(''), 'latin1')
  await git.run(['checkout-index', '-q', '-f', '-z', '--stdin'], { ...call, input })
}

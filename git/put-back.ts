import { rm } from 'node:fs/promises'
import type { GitCall, GitRunner } from './run.ts'
import { lines } from './tree.ts'

/**
 * Puts files of a checkout back that a move from one commit to another wrote before it could write no more. The index is as it was; what
 * it has is what those files were, but for names that the person changed in it, which no move writes.
 */
export async function putBack(
  git: GitRunner,
  call: GitCall,
  { path, from, to }: { path: string; from: string; to: string },
): Promise<void> {
  const quiet = ['-z', '--name-only', '--no-renames', '--ignore-submodules=all']
  const staged = new Set(
    lines((await git.run(['diff-index', '--cached', ...quiet, from], call)).stdout),
  )
  const changed = async (filter: string) => {
    const what = ['diff-tree', '-r', ...quiet, `--diff-filter=${filter}`, from, to]
    return lines((await git.run(what, call)).stdout).filter((name) => !staged.has(name))
  }
  for (const name of await changed('A'))
    await rm(Buffer.concat([Buffer.from(`${path}/`), Buffer.from(name, 'latin1')]), { force: true })
  const input = Buffer.from((await changed('a')).map((name) => `${name}\0`).join(''), 'latin1')
  await git.run(['checkout-index', '-q', '-f', '-z', '--stdin'], { ...call, input })
}

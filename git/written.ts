import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { staged } from './in-the-way.ts'
import { type ProjectLayout, privateDir } from './layout.ts'
import type { GitCall, GitRunner } from './run.ts'
import { lines, QUIET } from './tree.ts'

/**
 * Notes in the index of a checkout which files a move from one commit to another had written when git was killed in it. The index is the last
 * thing that git writes: until then those files look like edits of the person's.
 */
export async function noteWritten(
  git: GitRunner,
  call: GitCall,
  { layout, from, to }: { layout: ProjectLayout; from: string; to: string },
): Promise<void> {
  const what = ['-r', '-z', '--no-renames', '--diff-filter=d']
  const fields = lines((await git.run(['diff-tree', ...what, from, to], call)).stdout)
  const entries = fields.flatMap((header, index) => {
    const [, mode = '', , id = ''] = header.split(' ')
    const path = fields[index + 1] ?? ''
    return index % 2 === 0 ? [{ path, line: `${mode} ${id}\t${path}\0` }] : []
  })
  const note = (into: GitCall, noted: typeof entries) => {
    const input = Buffer.from(noted.map(({ line }) => line).join(''), 'latin1')
    return git.run(['update-index', '--replace', '-z', '--index-info'], { ...into, input })
  }
  await privateDir(layout.worktrees)
  // of these files alone, so that git compares no others
  const indexFile = join(layout.worktrees, `.written-${to}-${process.pid}`)
  const these = { ...call, indexFile }
  try {
    await note(these, entries)
    const others = new Set(lines((await git.run(['diff', ...QUIET], these)).stdout))
    const own = await staged(git, call, from)
    const written = entries.filter(({ path }) => !others.has(path) && !own.has(path))
    if (written.length > 0) await note(call, written)
  } finally {
    await rm(indexFile, { force: true })
  }
}

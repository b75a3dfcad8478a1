import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { staged } from './in-the-way.ts'
import { type ProjectLayout, privateDir } from './layout.ts'
import { readRegular } from './read-regular.ts'
import type { GitCall, GitRunner } from './run.ts'
import { behindLinks, lines, placeIn, QUIET } from './tree.ts'

/** Of a file that was written in part; a larger one is left to the person. */
const PART_BYTES = 100_000_000

interface Entry {
  mode: string
  id: string
  name: string
}

/**
 * Makes a move from one commit to another, in which git was killed, one that can be made again. The index is the last thing that git writes:
 * until then what it wrote looks like edits of the person's. Files that are whole are noted there, those that are not go.
 */
export async function takeUp(
  git: GitRunner,
  call: GitCall,
  { layout, path, from, to }: { layout: ProjectLayout; path: string; from: string; to: string },
): Promise<void> {
  const own = await staged(git, call, from)
  const entries = (await comingWith(git, call, { from, to })).filter(({ name }) => !own.has(name))
  await privateDir(layout.worktrees)
  // of these files alone, so that git compares no others
  const indexFile = join(layout.worktrees, `.written-${to}-${process.pid}`)
  const these = { ...call, indexFile }
  try {
    await note(git, these, entries)
    const others = new Set(lines((await git.run(['diff', ...QUIET], these)).stdout))
    const whole = entries.filter(({ name }) => !others.has(name))
    if (whole.length > 0) await note(git, call, whole)
    const behind = await behindLinks({ path }, [...others])
    for (const { name, id } of entries.filter(({ name }) => others.has(name) && !behind.has(name)))
      if (await isPart(git, call, { file: placeIn({ path }, name), id }))
        await rm(placeIn({ path }, name))
  } finally {
    await rm(indexFile, { force: true })
  }
}

async function comingWith(
  git: GitRunner,
  call: GitCall,
  { from, to }: { from: string; to: string },
): Promise<Entry[]> {
  const what = ['-r', '-z', '--no-renames', '--diff-filter=d']
  const fields = lines((await git.run(['diff-tree', ...what, from, to], call)).stdout)
  return fields.flatMap((header, index) => {
    const [, mode = '', , id = ''] = header.split(' ')
    return index % 2 === 0 ? [{ mode, id, name: fields[index + 1] ?? '' }] : []
  })
}

async function note(git: GitRunner, call: GitCall, entries: readonly Entry[]): Promise<void> {
  const text = entries.map(({ mode, id, name }) => `${mode} ${id}\t${name}\0`).join('')
  const input = Buffer.from(text, 'latin1')
  await git.run(['update-index', '--replace', '-z', '--index-info'], { ...call, input })
}

/** Whether a file holds nothing but the beginning of what it should: no byte of it is anybody's. */
async function isPart(
  git: GitRunner,
  call: GitCall,
  { file, id }: { file: Buffer; id: string },
): Promise<boolean> {
  const there = await readRegular(file, PART_BYTES)
  if (!there || Number(await git.text(['cat-file', '-s', id], call)) > PART_BYTES) return false
  const { stdout } = await git.run(['cat-file', 'blob', id], call)
  return there.length < stdout.length && there.equals(stdout.subarray(0, there.length))
}

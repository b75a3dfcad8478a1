import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { staged } from './in-the-way.ts'
import { type ProjectLayout, privateDir } from './layout.ts'
import { readRegular } from './read-regular.ts'
import type { GitCall, GitRunner } from './run.ts'
import { behindLinks, lines, placeIn, QUIET, statIn } from './tree.ts'

/** Of a file that was written in part; a larger one is left to the person. */
const PART_BYTES = 100_000_000

interface Entry {
  /** Zeros, as those of `id`, for a file that goes. */
  mode: string
  id: string
  name: string
  isNew: boolean
}

/**
 * Makes a move from one commit to another, in which git was killed, one that can be made again. The index is the last thing that git writes:
 * until then what it wrote looks like edits of the person's. What is done is noted there, and files that are not whole go. Returns the tree that
 * the checkout is at by now: where a file took the place of a folder, git makes no move a second time.
 */
export async function takeUp(
  git: GitRunner,
  call: GitCall,
  { layout, path, from, to }: { layout: ProjectLayout; path: string; from: string; to: string },
): Promise<string> {
  const what = ['-r', '-z', '--no-renames']
  const fields = lines((await git.run(['diff-tree', ...what, from, to], call)).stdout)
  const entries = fields.flatMap((header, index): Entry[] => {
    const [, mode = '', , id = ''] = header.split(' ')
    const isNew = header.endsWith(' A')
    return index % 2 === 0 ? [{ mode, id, name: fields[index + 1] ?? '', isNew }] : []
  })
  const [own, ahead] = [await staged(git, call, from), await staged(git, call, to)]
  const noted = entries.filter(({ name }) => own.has(name) && !ahead.has(name))
  const open = entries.filter(({ name }) => !own.has(name))
  await privateDir(layout.worktrees)
  const indexFile = join(layout.worktrees, `.taken-up-${to}-${process.pid}`)
  const beside = { ...call, indexFile }
  try {
    const others = await notAs(git, beside, { path, entries: open })
    const done = open.filter(({ name }) => !others.has(name))
    await note(git, call, done)
    // git begins with nothing while the person has edits in the way
    if (done.some((entry) => !isGone(entry)))
      await removeParts(git, call, { path, entries: open.filter(({ name }) => others.has(name)) })
    await git.run(['read-tree', from], beside)
    await note(git, beside, [...noted, ...done])
    return await git.text(['write-tree'], beside)
  } finally {
    await rm(indexFile, { force: true })
  }
}

/** Names of what is on disk something else than it should. The index is made for it, of these files alone: so git compares no others. */
async function notAs(
  git: GitRunner,
  call: GitCall,
  { path, entries }: { path: string; entries: readonly Entry[] },
): Promise<Set<string>> {
  const [coming, going] = [entries.filter((e) => !isGone(e)), entries.filter(isGone)]
  await note(git, call, coming)
  const others = lines((await git.run(['diff', ...QUIET], call)).stdout)
  const there = await Promise.all(going.map(({ name }) => statIn({ path }, name)))
  return new Set([...others, ...going.filter((_, index) => there[index]).map(({ name }) => name)])
}

const isGone = ({ mode }: Entry) => /^0+$/.test(mode)

/** Of files that are not as they should be, nor as they were. */
async function removeParts(
  git: GitRunner,
  call: GitCall,
  { path, entries }: { path: string; entries: readonly Entry[] },
): Promise<void> {
  const edited = new Set(lines((await git.run(['diff', ...QUIET], call)).stdout))
  const suspects = entries.filter(({ name, isNew }) => isNew || edited.has(name))
  const names = suspects.map(({ name }) => name)
  const behind = await behindLinks({ path }, names)
  for (const { name, id } of suspects.filter((entry) => !isGone(entry) && !behind.has(entry.name)))
    if (await isPart(git, call, { file: placeIn({ path }, name), id }))
      await rm(placeIn({ path }, name))
}

async function note(git: GitRunner, call: GitCall, entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) return
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

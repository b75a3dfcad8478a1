import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { isDependency } from './dependencies.ts'
import { readRegularText } from './read-regular.ts'
import type { GitCall, GitRunner } from './run.ts'
import {
  ADD,
  asText,
  behindLinks,
  type Folder,
  isNested,
  isRealFolder,
  type Listing,
  lines,
  list,
  QUIET,
  refuseClosed,
  type SlotTree,
  statIn,
  updateIndex,
} from './tree.ts'

/** Of what is saved besides a snapshot. */
const LEFT_OUT_FILES = 1000
const LEFT_OUT_BYTES = 50_000_000
/** More than the file holds by which a repository says where it is. */
const LINK_BYTES = 10_000

/** Without what is installed, which is no work. */
const isWork = (path: string) => !isDependency(path)

/**
 * What is in no snapshot, the one just made, and that no `.gitignore` of the project names: files that the person's own excludes name,
 * and folders (with a slash at the end) that are repositories of their own, submodules only where something in them is not of the commit
 * that `base` has. As git lists them. `closed`: folders that git cannot open, as text.
 */
export async function leftOut(
  git: GitRunner,
  tree: SlotTree,
  base: string,
): Promise<{ names: string[]; closed: string[] }> {
  const { others, links, closed } = await list(git, tree.call)
  const names = others.filter(isWork)
  for (const { path } of links)
    for await (const _ of workIn(git, tree, await inBase(git, tree, { path, base }))) {
      names.push(`${path}/`)
      break
    }
  return { names, closed: closed.map(asText) }
}

/** The same with the files of those folders in their place. */
async function* leftOutFiles(git: GitRunner, tree: SlotTree, base: string): AsyncGenerator<string> {
  const { others, links, closed } = await list(git, tree.call)
  refuseClosed(tree, closed)
  for (const path of others.filter(isWork))
    if (isNested(path)) yield* workIn(git, tree, { path: path.slice(0, -1) })
    else yield path
  for (const { path } of links) yield* workIn(git, tree, await inBase(git, tree, { path, base }))
}

/** The folder as the base has it: what an agent committed in it is nowhere else. */
async function inBase(
  git: GitRunner,
  { call }: SlotTree,
  { path, base }: { path: string; base: string },
): Promise<Folder> {
  const { stdout } = await git.run(['ls-tree', '-z', base, '--', asText(path)], call)
  const commit = /^160000 commit (\w+)\t/.exec(stdout.toString('latin1'))?.[1]
  return { path, ...(commit === undefined ? {} : { commit }) }
}

/** Files of a repository inside the worktree that are not as its commit has them; all of them where that commit is not to be had. */
async function* workIn(git: GitRunner, tree: SlotTree, folder: Folder): AsyncGenerator<string> {
  const workTree = join(tree.path, asText(folder.path))
  if (!(await isRealFolder(workTree))) return
  const indexFile = `${tree.path}.inside-index`
  const call = { ...tree.call, workTree, indexFile, alternates: [await objectsOf(workTree)] }
  let changed: string[] = []
  let inside: Listing
  // a kill may have left one
  await rm(indexFile, { force: true })
  try {
    if (folder.commit !== undefined && (await readInto(git, call, folder.commit)))
      changed = lines((await git.run(['diff', ...QUIET], call)).stdout)
    // by an index that is not there nothing in it is tracked
    inside = await list(git, call)
  } finally {
    await rm(indexFile, { force: true })
  }
  const at = (path: string) => `${folder.path}/${path}`
  refuseClosed(tree, inside.closed.map(at))
  for (const path of [...changed, ...inside.others].map(at).filter(isWork))
    if (isNested(path)) yield* workIn(git, tree, { path: path.slice(0, -1) })
    else yield path
  for (const { path, ...known } of inside.links)
    yield* workIn(git, tree, { ...known, path: at(path) })
}

/** Where a repository keeps its objects; an agent can write there and name any other place, so it is only read as objects. */
async function objectsOf(folder: string): Promise<string> {
  const git = join(folder, '.git')
  const [, elsewhere] = /^gitdir: (.+)/.exec((await readRegularText(git, LINK_BYTES)) ?? '') ?? []
  return join(elsewhere === undefined ? git : resolve(folder, elsewhere), 'objects')
}

/** Whether the commit could be had. */
async function readInto(git: GitRunner, call: GitCall, commit: string): Promise<boolean> {
  return (await git.run(['read-tree', commit], { ...call, answers: [0, 128] })).code === 0
}

/**
 * The tree of a snapshot and of what it left out, as far as it is no mass of files, and as text the files that are in it still not.
 * The agent's index stays as it is.
 */
export async function wholeTree(
  git: GitRunner,
  tree: SlotTree,
  { snapshot, base }: { snapshot: string; base: string },
): Promise<{ whole: string; missing: string[] }> {
  const { kept, missing } = await smallFiles(tree, leftOutFiles(git, tree, base))
  if (kept.length === 0) return { whole: snapshot, missing }
  // outside of what the agent can write
  const indexFile = `${tree.path}.salvage-index`
  const call = { ...tree.call, indexFile }
  try {
    await git.run(['read-tree', snapshot], call)
    const behind = await behindLinks(tree, kept)
    const there = kept.filter((path) => !behind.has(path))
    await updateIndex(git, { ...tree, call }, ADD, there)
    return { whole: await git.text(['write-tree'], call), missing }
  } finally {
    await rm(indexFile, { force: true })
  }
}

/** Up to a bound in number and size: what people exclude everywhere are also caches. */
async function smallFiles(
  tree: SlotTree,
  paths: AsyncIterable<string>,
): Promise<{ kept: string[]; missing: string[] }> {
  const kept: string[] = []
  const missing: string[] = []
  let bytes = 0
  for await (const path of paths) {
    const info = await statIn(tree, path)
    if (!info) continue
    if (kept.length === LEFT_OUT_FILES || bytes + info.size > LEFT_OUT_BYTES)
      missing.push(asText(path))
    else {
      bytes += info.size
      kept.push(path)
    }
  }
  return { kept, missing }
}

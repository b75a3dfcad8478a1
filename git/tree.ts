import { lstat, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isDependency } from './dependencies.ts'
import type { ProjectLayout } from './layout.ts'
import { GitFailure, GitProblem } from './problem.ts'
import type { GitCall, GitRunner } from './run.ts'
import { slotPath } from './slots.ts'

/** Of what is saved besides a snapshot. */
const LEFT_OUT_FILES = 1000
const LEFT_OUT_BYTES = 50_000_000

/**
 * Everything that reads or writes files of an agent's worktree goes through here: git runs with the clean hub as its
 * repository, so filters, drivers and hooks that an agent configured do not exist for it. Objects go to the sandbox hub.
 */
export interface SlotTree {
  path: string
  adminDir: string
  call: GitCall
  /** Files that are left alone, as text. */
  without?: readonly string[]
}

/** Git has no right to read a file. */
class UnreadableFile extends GitProblem {
  readonly file: string
  constructor(file: string) {
    const advice = 'Make it readable (chmod u+r, or chown), or delete it, then try again.'
    super('unreadable', `Git cannot read ${file}.`, advice)
    this.file = file
  }
}

/** Does something with the files that git can read, and tells which it cannot: git names one at a time. */
export async function sparing<T>(
  tree: SlotTree,
  work: (tree: SlotTree) => Promise<T>,
): Promise<{ result: T; unreadable: string[] }> {
  const unreadable: string[] = []
  for (;;) {
    try {
      return { result: await work({ ...tree, without: unreadable }), unreadable }
    } catch (error) {
      if (!(error instanceof UnreadableFile) || unreadable.includes(error.file)) throw error
      unreadable.push(error.file)
    }
  }
}

export function slotTree(layout: ProjectLayout, slot: { name: string; admin: string }): SlotTree {
  const path = slotPath(layout, slot.name)
  const adminDir = join(layout.sandbox, 'worktrees', slot.admin)
  return {
    path,
    adminDir,
    call: {
      gitDir: layout.clean,
      workTree: path,
      indexFile: join(adminDir, 'index'),
      objectDir: join(layout.sandbox, 'objects'),
    },
  }
}

/** Makes files and index equal to a commit or tree; what differs is overwritten, untracked files elsewhere stay. */
export async function checkOut(git: GitRunner, tree: SlotTree, sha: string): Promise<void> {
  await git.run(['read-tree', '--reset', '-u', sha], {
    ...tree.call,
    settings: { 'checkout.workers': '2' },
  })
}

/** Removes every file that is not tracked, ignored ones and nested repositories too. Links are removed, never followed. */
export async function removeUntracked(git: GitRunner, tree: SlotTree): Promise<void> {
  await git.run(['clean', '-ffdqx'], tree.call)
}

function lines(buffer: Buffer): string[] {
  return buffer.toString('latin1').split('\0').filter(Boolean)
}

/**
 * The tree of everything in the worktree, staged or not; ignored files and nested repositories are left out (see `leftOut`).
 * The index follows, so the agent's own `git status` stays true.
 */
export async function snapshotTree(git: GitRunner, tree: SlotTree, head: string): Promise<string> {
  try {
    return await stageAll(git, tree)
  } catch (error) {
    if (
      !(error instanceof GitFailure) ||
      !/index file|bad signature|unknown index|index uses/.test(error.stderr)
    )
      throw error
    await rm(join(tree.adminDir, 'index'), { force: true })
    await git.run(['read-tree', head], tree.call)
    return stageAll(git, tree)
  }
}

async function stageAll(git: GitRunner, tree: SlotTree): Promise<string> {
  const quiet = [
    '--name-only',
    '-z',
    '--no-ext-diff',
    '--no-textconv',
    '--no-renames',
    '--ignore-submodules=all',
  ]
  const [changed, listed] = await Promise.all([
    git.run(['diff', ...quiet], tree.call),
    git.run(['ls-files', '-z', '-v', '--cached', '--others', '--exclude-standard'], tree.call),
  ])
  const entries = lines(listed.stdout)
  if (await watchAll(git, tree, entries)) return stageAll(git, tree)
  const untracked = entries.filter((entry) => entry.startsWith('? ')).map(pathOf)
  // adding a nested repository would run git inside it
  const paths = [...lines(changed.stdout), ...untracked.filter((path) => !isNested(path))]
  const special = await specialFiles(tree, lines(changed.stdout))
  await updateIndex(git, tree, ['--force-remove'], special)
  await updateIndex(
    git,
    tree,
    ADD,
    paths.filter((path) => !special.includes(path)),
  )
  return git.text(['write-tree'], tree.call)
}

const ADD = ['--add', '--remove', '--replace']
/** As `ls-files` lists it: what is in it is tracked there. */
const isNested = (path: string) => path.endsWith('/')
/** Of an entry such as `H src/a.ts`. */
const pathOf = (entry: string) => entry.slice(2)

/**
 * Takes the marks from files that git was told not to look at (`assume-unchanged` is a small letter, `skip-worktree` an S): work in
 * them is work. Of those that are to be skipped and are not there it is no deletion. Returns whether there were any.
 */
async function watchAll(
  git: GitRunner,
  tree: SlotTree,
  entries: readonly string[],
): Promise<boolean> {
  const marked = entries.filter((entry) => /^[a-zS] /.test(entry))
  const there = await Promise.all(
    marked.map(async (entry) => !/^s/i.test(entry) || (await statIn(tree, pathOf(entry)))),
  )
  const paths = marked.filter((_, index) => there[index]).map(pathOf)
  for (const mark of ['assume-unchanged', 'skip-worktree'])
    await updateIndex(git, tree, [`--no-${mark}`], paths)
  return paths.length > 0
}

/**
 * What is in no snapshot, the one just made, and that no `.gitignore` of the project names: files that the person's own excludes name,
 * and folders (with a slash at the end) that are repositories of their own. As git lists them; without dependencies.
 */
export async function leftOut(git: GitRunner, tree: SlotTree): Promise<string[]> {
  return (await othersIn(git, tree.call)).filter((path) => !isDependency(path))
}

const othersIn = async (git: GitRunner, call: GitCall) =>
  lines(
    (await git.run(['ls-files', '-z', '--others', '--exclude-per-directory=.gitignore'], call))
      .stdout,
  )

/** The same with the files of nested repositories in place of their folders. */
async function leftOutFiles(git: GitRunner, tree: SlotTree): Promise<string[]> {
  const waiting = await leftOut(git, tree)
  const files: string[] = []
  for (let next = waiting.shift(); next && files.length < LEFT_OUT_FILES; next = waiting.shift()) {
    const workTree = join(tree.path, asText(next))
    if (!isNested(next)) files.push(next)
    else if (await lstat(workTree).catch(() => undefined)) {
      // by an index that is not there nothing in it is tracked
      const indexFile = `${tree.path}.no-index`
      const inside = await othersIn(git, { ...tree.call, workTree, indexFile })
      const paths = inside.map((path) => `${next}${path}`).filter((path) => !isDependency(path))
      waiting.unshift(...paths.slice(0, LEFT_OUT_FILES))
    }
  }
  return files
}

/** A path as text. */
export const asText = (path: string) => Buffer.from(path, 'latin1').toString('utf8')

/** The tree of a snapshot and of what it left out, as far as it is no mass of files. The agent's index stays as it is. */
export async function wholeTree(git: GitRunner, tree: SlotTree, snapshot: string): Promise<string> {
  const paths = await smallFiles(tree, await leftOutFiles(git, tree))
  if (paths.length === 0) return snapshot
  // outside of what the agent can write
  const indexFile = `${tree.path}.salvage-index`
  const call = { ...tree.call, indexFile }
  try {
    await git.run(['read-tree', snapshot], call)
    await updateIndex(git, { ...tree, call }, ADD, paths)
    return await git.text(['write-tree'], call)
  } finally {
    await rm(indexFile, { force: true })
  }
}

/** Up to a bound in number and size: what people exclude everywhere are also caches. */
async function smallFiles(tree: SlotTree, paths: readonly string[]): Promise<string[]> {
  const kept: string[] = []
  let bytes = 0
  for (const path of paths) {
    const info = await statIn(tree, path)
    if (!info || bytes + info.size > LEFT_OUT_BYTES) continue
    bytes += info.size
    kept.push(path)
  }
  return kept
}

const statIn = (tree: SlotTree, path: string) =>
  lstat(Buffer.concat([Buffer.from(`${tree.path}/`), Buffer.from(path, 'latin1')])).catch(
    () => undefined,
  )

/** Tracked files that are pipes, sockets or devices by now: git stops at them, as at nothing else. For us they are removed. */
async function specialFiles(tree: SlotTree, paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      const info = await statIn(tree, path)
      return info && !info.isFile() && !info.isSymbolicLink() && !info.isDirectory() ? [path] : []
    }),
  )
  return found.flat()
}

async function updateIndex(
  git: GitRunner,
  tree: SlotTree,
  how: readonly string[],
  paths: readonly string[],
): Promise<void> {
  const { without = [] } = tree
  const names = new Set(
    without.length > 0 ? paths.filter((path) => !without.includes(asText(path))) : paths,
  )
  if (names.size === 0) return
  const input = Buffer.from(`${[...names].join('\0')}\0`, 'latin1')
  try {
    await git.run(['update-index', '-z', ...how, '--stdin'], { ...tree.call, input })
  } catch (error) {
    const said = error instanceof GitFailure ? error.stderr : ''
    const file = /^error: \w+\("(.+)"\): Permission denied$/m.exec(said)?.[1]
    throw file === undefined ? error : new UnreadableFile(file)
  }
}

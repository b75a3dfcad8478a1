import { lstat, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isDependency } from './dependencies.ts'
import type { ProjectLayout } from './layout.ts'
import { GitFailure } from './problem.ts'
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
 * The tree of everything in the worktree, staged or not; ignored files and nested repositories are left out.
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
  const [changed, untracked] = await Promise.all([
    git.run(['diff', ...quiet], tree.call),
    git.run(['ls-files', '-z', '--others', '--exclude-standard'], tree.call),
  ])
  // A nested repository is listed with a slash; adding it would run git inside it.
  const paths = [
    ...lines(changed.stdout),
    ...lines(untracked.stdout).filter((path) => !path.endsWith('/')),
  ]
  const special = await specialFiles(tree, lines(changed.stdout))
  await updateIndex(git, tree, '--force-remove', special)
  await updateIndex(
    git,
    tree,
    '--remove',
    paths.filter((path) => !special.includes(path)),
  )
  return git.text(['write-tree'], tree.call)
}

/**
 * Files that are in no snapshot, the one just made, only because the person's own excludes name them: no `.gitignore` of the project
 * does. As git lists them; without dependencies and nested repositories.
 */
export async function leftOut(git: GitRunner, tree: SlotTree): Promise<string[]> {
  const others = ['ls-files', '-z', '--others', '--exclude-per-directory=.gitignore']
  const paths = lines((await git.run(others, tree.call)).stdout)
  return paths.filter((path) => !path.endsWith('/') && !isDependency(path))
}

/** Paths as text. */
export const readable = (paths: readonly string[]) =>
  paths.map((path) => Buffer.from(path, 'latin1').toString('utf8'))

/** The tree of a snapshot and of what it left out, as far as it is no mass of files. The agent's index stays as it is. */
export async function wholeTree(git: GitRunner, tree: SlotTree, snapshot: string): Promise<string> {
  const paths = await smallFiles(tree, await leftOut(git, tree))
  if (paths.length === 0) return snapshot
  // outside of what the agent can write
  const indexFile = `${tree.path}.salvage-index`
  const call = { ...tree.call, indexFile }
  try {
    await git.run(['read-tree', snapshot], call)
    await updateIndex(git, { ...tree, call }, '--remove', paths)
    return await git.text(['write-tree'], call)
  } finally {
    await rm(indexFile, { force: true })
  }
}

/** Up to a bound in number and size: what people exclude everywhere are also caches. */
async function smallFiles(tree: SlotTree, paths: readonly string[]): Promise<string[]> {
  const kept: string[] = []
  let bytes = 0
  for (const path of paths.slice(0, LEFT_OUT_FILES)) {
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
  removal: '--remove' | '--force-remove',
  paths: readonly string[],
): Promise<void> {
  if (paths.length === 0) return
  const input = Buffer.from(`${[...new Set(paths)].join('\0')}\0`, 'latin1')
  await git.run(['update-index', '-z', '--add', removal, '--replace', '--stdin'], {
    ...tree.call,
    input,
  })
}

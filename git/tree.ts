import { lstat, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ProjectLayout } from './layout.ts'
import { GitFailure } from './problem.ts'
import type { GitCall, GitRunner } from './run.ts'
import { slotPath } from './slots.ts'

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

/** Tracked files that are pipes, sockets or devices by now: git stops at them, as at nothing else. For us they are removed. */
async function specialFiles(tree: SlotTree, paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      const info = await lstat(
        Buffer.concat([Buffer.from(`${tree.path}/`), Buffer.from(path, 'latin1')]),
      ).catch(() => undefined)
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

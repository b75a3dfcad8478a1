import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/**
 * The repository that `cwd` is in, found by walking up to a `.git`; undefined outside one. An empty `.git` is none, to git
 * neither: Codex' sandbox leaves such folders where it keeps one from being made.
 */
export function gitRoot(cwd: string): string | undefined {
  let dir = realpathSync(cwd)
  while (!isRepository(join(dir, '.git'))) {
    const parent = dirname(dir)
    if (parent === dir) return undefined
    dir = parent
  }
  return dir
}

/** A worktree or submodule has a file that names its folder. */
function isRepository(path: string): boolean {
  const entry = statSync(path, { throwIfNoEntry: false })
  return entry !== undefined && (entry.isFile() || existsSync(join(path, 'HEAD')))
}

/** The branch that is checked out in a repository of `gitRoot`; undefined with none, as at a commit of its own. */
export function checkedOutBranch(root: string): string | undefined {
  const entry = join(root, '.git')
  const dir = statSync(entry).isFile()
    ? resolve(
        root,
        readFileSync(entry, 'utf8')
          .replace(/^gitdir: /, '')
          .trim(),
      )
    : entry
  const head = join(dir, 'HEAD')
  return existsSync(head)
    ? /^ref: refs\/heads\/(.+)$/m.exec(readFileSync(head, 'utf8'))?.[1]
    : undefined
}

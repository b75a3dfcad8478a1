import { createHash } from 'node:crypto'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { locate } from './inspect.ts'
import { readRegular } from './read-regular.ts'
import type { GitRunner } from './run.ts'

/** More than a hook or a config holds. */
const HOOK_BYTES = 10_000_000

/** What decides which programs git runs in a repository: file name to sha256. */
export type ConfigSnapshot = Readonly<Record<string, string>>

async function digest(path: string): Promise<string | undefined> {
  const info = await lstat(path).catch(() => undefined)
  if (!info || info.isDirectory()) return undefined
  const content = info.isSymbolicLink()
    ? `link ${await readlink(path)}`
    : ((await readRegular(path, HOOK_BYTES)) ?? 'a pipe, or not for us to read')
  return createHash('sha256')
    .update(`${info.mode & 0o111 ? 'x' : '-'} `)
    .update(content)
    .digest('hex')
}

/** sha256 over config, hooks, attributes and the `.git` pointer of a person's repository (facts R09). */
export async function snapshotConfig(git: GitRunner, repoPath: string): Promise<ConfigSnapshot> {
  const { root, commonDir } = await locate(git, repoPath)
  const hooks = await readdir(join(commonDir, 'hooks')).catch(() => [])
  const inside = [
    'config',
    'config.worktree',
    'info/attributes',
    'commondir',
    ...hooks.map((name) => `hooks/${name}`),
  ]
  const paths = [
    ...inside.map((name) => [name, join(commonDir, name)] as const),
    ['.git', join(root, '.git')] as const,
  ]
  const entries: [string, string][] = []
  for (const [name, path] of paths) {
    const sum = await digest(path)
    if (sum) entries.push([name, sum])
  }
  return Object.fromEntries(entries)
}

/** Names of the files that are new, gone or different. */
export function changedConfig(before: ConfigSnapshot, after: ConfigSnapshot): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => before[name] !== after[name]).sort()
}

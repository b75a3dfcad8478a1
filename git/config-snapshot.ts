import { createHash } from 'node:crypto'
import { lstat, readdir, readFile, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { locate } from './inspect.ts'
import type { GitRunner } from './run.ts'

/** What decides which programs git runs in a repository: file name to sha256. */
export interface ConfigSnapshot {
  hash: string
  files: Record<string, string>
}

async function digest(path: string): Promise<string | undefined> {
  const info = await lstat(path).catch(() => undefined)
  if (!info || info.isDirectory()) return undefined
  const content = info.isSymbolicLink() ? `link ${await readlink(path)}` : await readFile(path)
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
  entries.sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    hash: createHash('sha256').update(JSON.stringify(entries)).digest('hex'),
    files: Object.fromEntries(entries),
  }
}

/** Names of the files that are new, gone or different. */
export function changedConfig(before: ConfigSnapshot, after: ConfigSnapshot): string[] {
  const names = new Set([...Object.keys(before.files), ...Object.keys(after.files)])
  return [...names].filter((name) => before.files[name] !== after.files[name]).sort()
}

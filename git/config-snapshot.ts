import { createHash } from 'node:crypto'
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { locate } from './inspect.ts'
import { createMemo, type Memo } from './memo.ts'
import { GitFailure } from './problem.ts'
import { readRegular } from './read-regular.ts'
import type { GitRunner } from './run.ts'

/** More than a hook or a config holds. */
const HOOK_BYTES = 10_000_000
/**
 * What git, editors and GitHub's CLI write for a branch while the person works: it starts nothing. A remote does when it is an address
 * (`ext::`), so only its name counts as harmless.
 */
const OF_A_BRANCH =
  /^branch\.[\s\S]*\.(?:merge|rebase|description|vscode-merge-base|gh-merge-base|github-pr-[a-z-]+)$/
const REMOTE_OF_A_BRANCH = /^branch\.[\s\S]*\.(?:remote|pushremote)$/
const NAME_OR_HERE = /^(?:[\w-]+|\.)$/

/** What decides which programs git runs in a repository: file name, or `config` with a key, to sha256. */
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

const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest('hex')

/** A key of a config, `config core.fsmonitor`, and what its values come to. */
type Key = readonly [string, string]

/** What a config says depends on its bytes alone, and it is looked at before and after each stage. */
const readConfigs = new WeakMap<GitRunner, Memo<Key[] | undefined>>()

/** The keys of a config; undefined where it cannot be read as one. */
async function keysOf(git: GitRunner, name: string, path: string): Promise<Key[] | undefined> {
  const content = await readRegular(path, HOOK_BYTES)
  if (!content) return undefined
  const known = readConfigs.get(git) ?? createMemo<Key[] | undefined>(100)
  readConfigs.set(git, known)
  return known.get(`${name} ${sha256(content)}`, () => askForKeys(git, name, content))
}

async function askForKeys(
  git: GitRunner,
  name: string,
  content: Buffer,
): Promise<Key[] | undefined> {
  const listed = await git
    .text(['config', '--file', '-', '--no-includes', '--null', '--list'], { input: content })
    .catch((error) => {
      if (error instanceof GitFailure) return undefined // no config any more: git refuses it too
      throw error
    })
  if (listed === undefined) return undefined
  const values = new Map<string, string[]>()
  for (const entry of listed.split('\0')) {
    const [key = '', ...rest] = entry.split('\n')
    const value = rest.join('\n')
    if (key === '' || OF_A_BRANCH.test(key)) continue
    if (REMOTE_OF_A_BRANCH.test(key) && NAME_OR_HERE.test(value)) continue
    // an address in a key may hold a password
    const shown = `${name} ${key.replace(/\/\/[^/@\s]*@/g, '//')}`
    values.set(shown, [...(values.get(shown) ?? []), value])
  }
  return [...values].map(([key, all]) => [key, sha256(all.join('\0'))])
}

/** sha256 over config, hooks, attributes and the `.git` pointer of a person's repository (facts R09). */
export async function snapshotConfig(git: GitRunner, repoPath: string): Promise<ConfigSnapshot> {
  const { root, commonDir, gitDir } = await locate(git, repoPath)
  const hooks = await readdir(join(commonDir, 'hooks')).catch(() => [])
  const inside = ['info/attributes', 'commondir', ...hooks.map((name) => `hooks/${name}`)]
  const paths = [
    ...inside.map((name) => [name, join(commonDir, name)] as const),
    ['.git', join(root, '.git')] as const,
  ]
  const entries: Key[] = []
  // a linked worktree has one of its own besides
  const own = join(relative(commonDir, gitDir), 'config.worktree')
  for (const name of new Set(['config', 'config.worktree', own])) {
    const path = join(commonDir, name)
    const keys = await keysOf(git, name, path)
    const whole = keys ? undefined : await digest(path)
    entries.push(...(keys ?? (whole ? [[name, whole] as const] : [])))
  }
  for (const [name, path] of paths) {
    const sum = await digest(path)
    if (sum) entries.push([name, sum])
  }
  return Object.fromEntries(entries)
}

/** Names of the files and keys that are new, gone or different. */
export function changedConfig(before: ConfigSnapshot, after: ConfigSnapshot): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...names].filter((name) => before[name] !== after[name]).sort()
}

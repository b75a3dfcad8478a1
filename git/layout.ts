import { createHash } from 'node:crypto'
import { mkdir, open, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { GitCall } from './run.ts'

/** Where one project's repositories and worktrees are below DISPATCH_HOME. */
export interface ProjectLayout {
  projectId: string
  hubs: string
  /** Bare, ours alone: the only place where Dispatch diffs and merges. */
  clean: string
  /** Bare, shares the clean hub's objects; the agents' worktrees hang off it, so its config and hooks are hostile. */
  sandbox: string
  worktrees: string
  trash: string
}

/** `projectId` is our own id; anything that is not a plain name is a bug. */
export function projectLayout(home: string, projectId: string): ProjectLayout {
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(projectId))
    throw new Error(`not a project id: ${JSON.stringify(projectId)}`)
  const hubs = join(home, 'hubs', projectId)
  const worktrees = join(home, 'worktrees', projectId)
  return {
    projectId,
    hubs,
    clean: join(hubs, 'clean.git'),
    sandbox: join(hubs, 'sandbox.git'),
    worktrees,
    trash: join(worktrees, '.trash'),
  }
}

/**
 * What a sandboxed agent sees of git. Its worktree's common folder and the objects that it borrows are for reading: it cannot commit, so no agent
 * spoils another one's branch, config or hooks. What it changed is committed by Dispatch.
 */
export function sandboxedGit(home: string, projectId: string): string[] {
  const { sandbox, clean } = projectLayout(home, projectId)
  return [sandbox, join(clean, 'objects')]
}

/**
 * A person's objects under our config. Asking for a missing object under theirs would, in a partial clone, start the
 * program that their config names for the fetch.
 */
export function personObjects(layout: ProjectLayout, commonDir: string): GitCall {
  return { gitDir: layout.clean, objectDir: join(commonDir, 'objects') }
}

/** A key as one path or ref component: kept readable where it already is one, else shortened and hashed. */
export function nameOf(key: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_-]{0,80}$/.test(key)) return key
  const readable = key
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 40)
  const hash = createHash('sha256').update(key).digest('hex').slice(0, 12)
  return `${readable || 'key'}-${hash}`
}

export const salvageRef = (key: string) => `refs/dispatch/salvage/${nameOf(key)}`
/** The person may replace `release` by `release/1.0`, and one ref cannot be a folder of another. */
export const targetRef = (target: string) => `refs/dispatch/target/${nameOf(target)}`
export const taskRef = (branch: string) => `refs/dispatch/task/${branch}`

export async function privateDir(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 })
}

/** Replaces a file as a whole: after a crash it holds the old or the new content. */
export async function writeWhole(path: string, content: string): Promise<void> {
  const temporary = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`
  await privateDir(dirname(path))
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}

import { readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { basename, dirname, sep } from 'node:path'

/** Without /proc nobody can be asked who holds a lock, so it must at least be this old. */
const OLD_ENOUGH_MS = 60_000

/**
 * Removes a git lock file inside DISPATCH_HOME whose owner is gone (git killed: facts F12). Callers hold the repository's queue.
 * A lock in a person's repository is never touched. Returns whether the lock is gone.
 */
export async function clearStaleLock(lock: string, home: string): Promise<boolean> {
  if (!lock.startsWith(home + sep) || !basename(lock).endsWith('.lock')) return false
  if (await ownerMayLive(lock, home)) return false
  await rm(lock, { force: true })
  return true
}

async function ownerMayLive(lock: string, home: string): Promise<boolean> {
  const pids = await readdir('/proc').catch(() => undefined)
  if (!pids?.includes('self')) {
    const info = await stat(lock).catch(() => undefined)
    return info !== undefined && Date.now() - info.mtimeMs < OLD_ENOUGH_MS
  }
  const repository = /^(.*?\.git)(\/|$)/.exec(lock)?.[1] ?? dirname(lock)
  for (const pid of pids.filter((name) => /^\d+$/.test(name))) {
    if (await isGitAt(pid, repository, home)) return true
  }
  return false
}

/** A git process that names the repository, works in one of our worktrees, or whose directory we may not read. */
async function isGitAt(pid: string, repository: string, home: string): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  if (!/^(\S*\/)?git(-\S+)?\0/.test(command)) return false
  if (command.includes(repository)) return true
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
  return cwd?.startsWith(home + sep) ?? false
}

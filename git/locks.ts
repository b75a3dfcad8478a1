import { readdir, readFile, readlink, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, sep } from 'node:path'

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
  const owners = possibleOwners(lock, home)
  for (const pid of pids.filter((name) => /^\d+$/.test(name))) {
    if (await isGitAt(pid, owners)) return true
  }
  return false
}

/** Only we run git in a clean hub, and always name it; a sandbox hub is used from every worktree of its project. */
function possibleOwners(lock: string, home: string): { named: string; inside: string | undefined } {
  const [, project, hub] = lock.slice(home.length).match(/^\/hubs\/([^/]+)\/(\w+)\.git\//) ?? []
  if (!project || !hub) return { named: dirname(lock), inside: undefined }
  const named = join(home, 'hubs', project, `${hub}.git`)
  if (hub === 'clean') return { named, inside: undefined }
  const admin = /\/sandbox\.git\/worktrees\/([^/]+)\//.exec(lock)?.[1]
  return { named, inside: join(home, 'worktrees', project, admin ?? '') }
}

async function isGitAt(
  pid: string,
  owners: { named: string; inside: string | undefined },
): Promise<boolean> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  if (!/^(\S*\/)?git(-\S+)?\0/.test(command)) return false
  // our readers live long, and never take a lock
  if (command.includes('\0cat-file\0--batch-command\0')) return false
  if (command.includes(owners.named)) return true
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined)
  return owners.inside !== undefined && (cwd?.startsWith(owners.inside) ?? false)
}

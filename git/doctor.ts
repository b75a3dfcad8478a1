import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type GitDeps, restoreSandbox } from './hubs.ts'
import { type ProjectLayout, projectLayout } from './layout.ts'
import { clearStaleLock } from './locks.ts'
import { isGitsFault } from './problem.ts'
import { hasCommit, readRef } from './refs.ts'
import {
  type Claim,
  dropHollowClaim,
  emptyTrash,
  hollowClaims,
  listClaims,
  listNames,
  readSlot,
  slotPath,
} from './slots.ts'
import { discard, releaseWorktree } from './worktrees.ts'

export interface GitScan {
  /** Claims whose key is not live any more. */
  orphanWorktrees: { key: string; path: string; branch: string }[]
  /** Folders that belong to no complete slot and no claim, and slots whose claim was cut short. */
  brokenSlots: string[]
  /** Sandbox branches of no live claim whose work is safe in the clean hub. */
  orphanBranches: string[]
  /** Lock files in the hubs. */
  locks: string[]
  /** What a git that was killed left of packs in the clean hub: as much as it had of the repository. */
  unfinishedPacks: string[]
  /** Work that was saved before a worktree went. */
  salvage: { ref: string; sha: string; at: string }[]
}
/** Longer than a git may be silent that still writes one. */
const UNFINISHED_MS = 3_600_000

export interface ScanInput {
  projectId: string
  /** Keys that are still needed. A function is asked after the claims were read, so that none is missed meanwhile. */
  liveKeys: readonly string[] | (() => Promise<readonly string[]>)
}

/** What is left over in a project's hubs and worktrees. Changes nothing but a sandbox config that agents spoilt. */
export async function scan(deps: GitDeps, input: ScanInput): Promise<GitScan> {
  const layout = projectLayout(deps.home, input.projectId)
  await deps.queue.run(layout.sandbox, () => restoreSandbox(deps, layout))
  // A row comes before its claim, and a claim before its folder and branch: read in the other order, nothing in use looks left over.
  const folders = await listNames(layout)
  const branches = await refs(deps, layout.sandbox, 'refs/heads/')
  const claims = await listClaims(layout)
  const live = new Set(
    typeof input.liveKeys === 'function' ? await input.liveKeys() : input.liveKeys,
  )
  const orphans = claims.filter((claim) => !live.has(claim.key) && !isHeld(claim))
  return {
    orphanWorktrees: orphans.map(({ key, slot, branch }) => ({
      key,
      branch,
      path: slotPath(layout, slot),
    })),
    brokenSlots: [
      ...new Set([
        ...(await brokenSlots(layout, folders, claims)),
        ...(await hollowClaims(layout)),
      ]),
    ],
    orphanBranches: await orphanBranches(deps, layout, {
      branches,
      live: claims.filter((claim) => !orphans.includes(claim)),
    }),
    locks: [...(await locksIn(layout.clean)), ...(await locksIn(layout.sandbox))],
    unfinishedPacks: await unfinishedPacks(layout),
    salvage: await listSalvage(deps, layout),
  }
}

/** A worktree that is being made ready belongs to the process that makes it, for as long as that lives. */
function isHeld(claim: Claim): boolean {
  if (claim.pid === undefined) return false
  // in a container the next worker has the id of the one that was killed
  if (claim.pid === process.pid && Date.parse(claim.at) < performance.timeOrigin) return false
  try {
    return process.kill(claim.pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function brokenSlots(
  layout: ProjectLayout,
  names: readonly string[],
  claims: readonly Claim[],
): Promise<string[]> {
  const claimed = new Set(claims.map((claim) => claim.slot))
  const folders = names.filter((name) => /^s-[0-9a-f]+$/.test(name) && !claimed.has(name))
  const slots = await Promise.all(folders.map((name) => readSlot(layout, name)))
  return folders.filter((_, index) => slots[index] === undefined)
}

async function orphanBranches(
  deps: GitDeps,
  layout: ProjectLayout,
  { branches, live }: { branches: readonly { ref: string; sha: string }[]; live: readonly Claim[] },
): Promise<string[]> {
  const mine = new Set(live.map((claim) => `refs/heads/${claim.branch}`))
  const free = branches.filter(({ ref }) => !mine.has(ref))
  const safe = await Promise.all(free.map(({ sha }) => hasCommit(deps.git, layout.clean, sha)))
  return free.filter((_, index) => safe[index]).map(({ ref }) => ref)
}

async function refs(
  deps: GitDeps,
  gitDir: string,
  prefix: string,
  // git stops at a commit that is not there, if it is asked of when it is
  at = '',
): Promise<{ ref: string; sha: string; at: string }[]> {
  const format = `--format=%(refname)%09%(objectname)%09${at}`
  const exists = await readdir(gitDir).catch(() => undefined)
  if (!exists) return []
  const text = await deps.git.text(['for-each-ref', format, prefix], { gitDir })
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [ref = '', sha = '', at = ''] = line.split('\t')
      return { ref, sha, at }
    })
}

/** Every salvage ref of a project. */
export async function listSalvage(
  deps: GitDeps,
  layout: ProjectLayout,
): Promise<GitScan['salvage']> {
  return refs(deps, layout.clean, 'refs/dispatch/salvage/', '%(committerdate:iso-strict)')
}

async function locksIn(gitDir: string): Promise<string[]> {
  const entries = await readdir(gitDir, { withFileTypes: true, recursive: true }).catch(() => [])
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.lock'))
    .map((entry) => join(entry.parentPath, entry.name))
}

async function unfinishedPacks({ clean }: ProjectLayout): Promise<string[]> {
  const folder = join(clean, 'objects', 'pack')
  const names = await readdir(folder).catch(() => [])
  const paths = names.filter((name) => name.startsWith('tmp_')).map((name) => join(folder, name))
  const stats = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)))
  const before = Date.now() - UNFINISHED_MS
  return paths.filter((_, index) => (stats[index]?.mtimeMs ?? before) < before)
}

/** Clears what `scan` finds; work is saved first. Returns a line for each thing done, and for each that could not be. */
export async function repair(
  deps: GitDeps,
  input: ScanInput,
  background: (work: Promise<void>) => void,
): Promise<string[]> {
  const layout = projectLayout(deps.home, input.projectId)
  const found = await scan(deps, input)
  const done: string[] = []
  /** One that cannot be cleared keeps no other from it. */
  const clear = async (what: string, work: () => Promise<string | undefined>) => {
    try {
      const line = await work()
      if (line !== undefined) done.push(line)
    } catch (error) {
      if (!isGitsFault(error)) throw error
      done.push(`${what} is kept: ${error.message}`)
    }
  }
  for (const lock of found.locks) {
    const gone = await deps.queue.run(layout.sandbox, () => clearStaleLock(lock, deps.home))
    if (gone) done.push(`removed the stale lock ${lock}`)
  }
  for (const pack of found.unfinishedPacks) {
    await rm(pack, { force: true })
    done.push(`removed the unfinished pack ${pack}`)
  }
  for (const { key, path } of found.orphanWorktrees)
    await clear(`the worktree ${path} of ${key}`, async () => {
      const release = { projectId: input.projectId, key }
      const { salvaged } = await releaseWorktree(deps, release, background)
      return `released the worktree ${path} of ${key}${salvaged ? `; its work is in ${salvaged.ref}` : ''}`
    })
  for (const name of found.brokenSlots) {
    await deps.queue.run(slotPath(layout, name), async () => {
      const freed = await dropHollowClaim(layout, name)
      if (await readSlot(layout, name)) {
        if (freed) done.push(`freed the worktree ${name}, whose claim was cut short`)
        return
      }
      if ((await listClaims(layout)).some((claim) => claim.slot === name)) return
      await discard(layout, name, name)
      done.push(`removed the incomplete worktree ${name}`)
    })
  }
  for (const ref of found.orphanBranches) {
    const branch = ref.replace('refs/heads/', '')
    await clear(`the branch ${branch}`, async () => {
      const sha = await readRef(deps.git, layout.sandbox, ref)
      if (!sha) return undefined
      await deps.queue.run(layout.sandbox, () =>
        deps.git.run(['update-ref', '-d', ref, sha], { gitDir: layout.sandbox }),
      )
      return `removed the branch ${branch}, whose commits are kept in the hub`
    })
  }
  return [...done, ...(await emptyTrash(layout))]
}

import { rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import {
  lastPublished,
  moveBranch,
  publishWork,
  type Salvage,
  saveWork,
  standing,
} from './commit.ts'
import { provisionDependencies } from './dependencies.ts'
import { type GitDeps, publishCommit, requireHub, restoreSandbox } from './hubs.ts'
import { type ProjectLayout, privateDir, projectLayout, writeWhole } from './layout.ts'
import { GitProblem } from './problem.ts'
import { readRegularText } from './read-regular.ts'
import { checkBranchName, hasCommit, readRef, swapRef } from './refs.ts'
import {
  type Claim,
  dropClaim,
  dropSlot,
  emptyTrash,
  findClaim,
  freeSlots,
  listClaims,
  moveToTrash,
  newSlotName,
  readSlot,
  type Slot,
  slotPath,
  takeSlot,
  writeClaim,
  writeSlot,
} from './slots.ts'
import { dropStashes } from './stashes.ts'
import { checkOut, isLinked, isRealFolder, link, removeUntracked, slotTree } from './tree.ts'

export interface ClaimInput {
  projectId: string
  /** Who claims, such as a task's id: the same key gets the same worktree. */
  key: string
  /** Commit in the clean hub that a new branch starts at. */
  base: string
  branch: string
}
export interface ReleaseInput {
  projectId: string
  key: string
  /** Removes the agent's branch from the sandbox hub as well: nobody will claim it again. */
  dropBranch?: boolean
  /** For looking only: what was built or tried in it, and is ignored, is not saved. */
  scratch?: boolean
  /** Told of work that had to be saved. Again when the call is cut off and made again. */
  onSalvaged?: (salvage: Salvage) => Promise<void>
}
export interface Worktree {
  path: string
  head: string
}

/** Builds a worktree, detached at `sha`. Only the bookkeeping holds the queue; files are written beside other builds. */
async function buildSlot(
  deps: GitDeps,
  layout: ProjectLayout,
  name: string,
  sha: string,
): Promise<Slot> {
  const { git, queue } = deps
  const path = slotPath(layout, name)
  await queue.run(layout.sandbox, async () => {
    await restoreSandbox(deps, layout)
    await moveToTrash(layout, path)
    await rm(join(layout.sandbox, 'worktrees', name), { recursive: true, force: true })
    await privateDir(layout.worktrees)
    await git.run(['worktree', 'add', '--no-checkout', '--detach', path, sha], {
      gitDir: layout.sandbox,
    })
  })
  const pointer = await readRegularText(join(path, '.git'), 10_000)
  if (pointer === undefined) throw new Error(`${path} was changed while it was made`)
  const slot = { name, admin: basename(pointer.trim()), sha }
  await checkOut(git, slotTree(layout, slot), sha)
  await writeSlot(layout, slot)
  return slot
}

async function pickSlot(deps: GitDeps, layout: ProjectLayout, input: ClaimInput): Promise<Claim> {
  const claim = {
    key: input.key,
    branch: input.branch,
    base: input.base,
    active: false,
    at: new Date().toISOString(),
  }
  const free = await freeSlots(layout)
  const best = [
    ...free.filter((slot) => slot.sha === input.base),
    ...free.filter((slot) => slot.sha !== input.base),
  ]
  for (const slot of best) {
    const taken = { ...claim, slot: slot.name }
    if (await takeSlot(layout, taken)) return taken
  }
  const fresh = { ...claim, slot: newSlotName() }
  if (!(await takeSlot(layout, fresh))) return pickSlot(deps, layout, input)
  return fresh
}

/**
 * Makes a claimed slot stand on its branch (`existing`: where that branch is already). May be cut anywhere and run again:
 * it is handed out only after the last line.
 */
async function activate(
  deps: GitDeps,
  layout: ProjectLayout,
  claim: Claim,
  existing: string | undefined,
): Promise<Worktree> {
  const { git, queue } = deps
  // a branch that is gone from the sandbox goes on from what was published of it: to begin again would leave that behind
  const head = existing ?? (await lastPublished(deps, layout, claim))
  if (existing) await publishCommit(deps, layout, existing)
  const ready = await readSlot(layout, claim.slot)
  const whole = ready && (await isLinked(slotTree(layout, ready)))
  const slot = whole ? ready : await buildSlot(deps, layout, claim.slot, head)
  const tree = slotTree(layout, slot)
  if (slot.sha !== head) {
    await checkOut(git, tree, head)
    await writeSlot(layout, { ...slot, sha: head })
  }
  const ref = `refs/heads/${claim.branch}`
  await queue.run(layout.sandbox, async () => {
    const change = { ref, to: head, from: undefined, why: 'dispatch: claim' }
    const [made] = await Promise.all([
      existing ? true : swapRef(git, layout.sandbox, change),
      writeWhole(join(tree.adminDir, 'HEAD'), `ref: ${ref}\n`),
    ])
    if (!made) throw new Error(`${ref} appeared while it was being claimed`)
  })
  await writeClaim(layout, { ...claim, active: true })
  return { path: tree.path, head }
}

/** The head of a claim that was handed out before; whatever the agent did there stays. */
async function reclaim(
  deps: GitDeps,
  layout: ProjectLayout,
  claim: Claim,
  head: string | undefined,
): Promise<Worktree> {
  const path = slotPath(layout, claim.slot)
  const slot = claim.active ? await readSlot(layout, claim.slot) : undefined
  if (!slot || !(await isRealFolder(path))) return activate(deps, layout, claim, head)
  const tree = slotTree(layout, slot)
  if (head && (await isLinked(tree))) return { path, head }
  // the agent renamed or deleted the branch, or the link: its files are its work, and its commits are where it stands
  const to = await standing(deps, layout, { claim, tree })
  await moveBranch(deps, layout, { claim, tree, to })
  return { path, head: to }
}

async function chooseClaim(
  deps: GitDeps,
  layout: ProjectLayout,
  input: ClaimInput,
): Promise<Claim> {
  const claims = await listClaims(layout)
  const mine = claims.find((claim) => claim.key === input.key)
  if (mine) return mine
  const other = claims.find((claim) => claim.branch === input.branch)
  if (!other) return pickSlot(deps, layout, input)
  throw new GitProblem(
    'branch_checked_out_elsewhere',
    `${input.branch} is in use by ${other.key}.`,
    'Release that worktree first.',
  )
}

/**
 * A worktree of the sandbox hub on `branch`: the same one for the same key, a warm one where there is one, else a new one.
 * Throws `hub_gone`, `commit_missing` (base not in the clean hub), `bad_ref`, `branch_checked_out_elsewhere`.
 */
export async function claimWorktree(deps: GitDeps, input: ClaimInput): Promise<Worktree> {
  checkBranchName(input.branch)
  const layout = projectLayout(deps.home, input.projectId)
  await requireHub(layout)
  const [present] = await Promise.all([
    hasCommit(deps.git, layout.clean, input.base),
    deps.queue.run(layout.sandbox, () => restoreSandbox(deps, layout)),
  ])
  if (!present)
    throw new GitProblem(
      'commit_missing',
      `Commit ${input.base.slice(0, 12)}, on which this goal's work stands, is not in Dispatch's own copy of the repository: ${layout.clean} was made anew since, and what the goal had not merged is gone with the old one.`,
      'File the goal again: dispatch goal "<text>".',
    )
  const chosen = await deps.queue.run(layout.worktrees, () => chooseClaim(deps, layout, input))
  return deps.queue.run(slotPath(layout, chosen.slot), async () => {
    const [claim, head] = await Promise.all([
      findClaim(layout, input.key),
      readRef(deps.git, layout.sandbox, `refs/heads/${chosen.branch}`),
    ])
    return reclaim(deps, layout, claim ?? chosen, head)
  })
}

/** Where the worktree of a key is, also where nothing can be done with it. */
export async function worktreeOf(
  { home }: Pick<GitDeps, 'home'>,
  input: { projectId: string; key: string },
): Promise<string | undefined> {
  const layout = projectLayout(home, input.projectId)
  const claim = await findClaim(layout, input.key)
  return claim && slotPath(layout, claim.slot)
}

/** Puts a used slot back to a clean, detached checkout of its last base; on any trouble it is thrown away instead. */
async function recycle(
  deps: GitDeps,
  layout: ProjectLayout,
  slot: Slot,
  sha: string,
): Promise<void> {
  const tree = slotTree(layout, slot)
  try {
    if (!(await isRealFolder(tree.path))) throw new Error(`${tree.path} is no folder`)
    // The agent could write to all of these; a slot starts from known content.
    await rm(join(tree.path, '.git'), { recursive: true, force: true })
    await rm(tree.adminDir, { recursive: true, force: true })
    await link(tree)
    await writeWhole(join(tree.adminDir, 'HEAD'), `${sha}\n`)
    await checkOut(deps.git, tree, sha)
    await removeUntracked(deps.git, tree)
    await writeSlot(layout, { ...slot, sha })
  } catch (error) {
    deps.log('a used worktree could not be recycled; removing it', {
      slot: slot.name,
      error: String(error),
    })
    await discard(layout, slot.name, slot.admin)
  }
}

/** Removes a slot for good. */
export async function discard(layout: ProjectLayout, name: string, admin: string): Promise<void> {
  await dropSlot(layout, name)
  await moveToTrash(layout, slotPath(layout, name))
  await rm(join(layout.sandbox, 'worktrees', admin), { recursive: true, force: true })
  await emptyTrash(layout)
}

/**
 * Gives a worktree back. Work that is uncommitted, or committed and nowhere else, is first saved under `refs/dispatch/salvage/`.
 * The slot is cleaned in the background (`background` gets the promise). Again, or for an unknown key, it does nothing.
 * Throws `not_saved`, and the worktree stays as it is, where something in it could not be saved.
 */
export async function releaseWorktree(
  deps: GitDeps,
  input: ReleaseInput,
  background: (work: Promise<void>) => void,
): Promise<{ salvaged: Salvage | undefined }> {
  const layout = projectLayout(deps.home, input.projectId)
  const claim = await findClaim(layout, input.key)
  if (!claim) return { salvaged: undefined }
  return deps.queue.run(slotPath(layout, claim.slot), async () => {
    if (!(await findClaim(layout, input.key))) return { salvaged: undefined }
    await deps.queue.run(layout.sandbox, () => restoreSandbox(deps, layout))
    const slot = await readSlot(layout, claim.slot)
    const there = slot && (await isRealFolder(slotPath(layout, claim.slot)))
    const { ref, unsaved } =
      there && claim.active
        ? await saveWork(deps, layout, { claim, slot, scratch: input.scratch === true })
        : { ref: await publishWork(deps, layout, claim) }
    const salvaged = ref === undefined ? undefined : { repository: layout.clean, ref }
    // before the claim goes: killed until then, the next call saves the same again and tells again
    if (salvaged) await input.onSalvaged?.(salvaged)
    if (unsaved) throw unsaved
    // another process may have given it back meanwhile, and the slot may be somebody else's by now
    if ((await findClaim(layout, input.key))?.at !== claim.at) return { salvaged }
    await dropStashes(deps, layout, claim.branch)
    if (input.dropBranch) {
      // Killed from here on, the next call does not look for work that is saved already.
      await writeClaim(layout, { ...claim, active: false })
      await dropBranch(deps, layout, claim.branch)
    }
    // Without its slot file nobody can take the slot until it is clean again.
    await dropSlot(layout, claim.slot)
    const isOurs = await dropClaim(layout, claim.slot)
    // held while it is cleaned, so that nobody takes it for an incomplete one
    if (isOurs && slot && there && (await hold(layout, claim.slot)))
      background(
        deps.queue
          .run(slotPath(layout, claim.slot), () => recycle(deps, layout, slot, claim.base))
          .finally(() => dropClaim(layout, claim.slot)),
      )
    // who held it was killed before it was whole
    else if (isOurs && claim.pid !== undefined) await discard(layout, claim.slot, claim.slot)
    return { salvaged }
  })
}

/** What the branch had is in the clean hub by now; in the sandbox it would only pile up. */
async function dropBranch(deps: GitDeps, layout: ProjectLayout, branch: string): Promise<void> {
  if (branch === '') return
  const ref = `refs/heads/${branch}`
  await deps.queue.run(layout.sandbox, async () => {
    const sha = await readRef(deps.git, layout.sandbox, ref)
    if (sha) await deps.git.run(['update-ref', '-d', ref, sha], { gitDir: layout.sandbox })
  })
}

/** Keeps `slots` free worktrees at `base`, with the person's dependencies copied in when `repoPath` is given. */
export async function warm(
  deps: GitDeps,
  input: { projectId: string; base: string; slots: number; repoPath?: string },
): Promise<void> {
  const layout = projectLayout(deps.home, input.projectId)
  await deps.queue.run(`${layout.worktrees}#warm`, async () => {
    const free = await freeSlots(layout)
    for (const slot of free)
      await holding(layout, slot.name, () => refresh(deps, layout, slot, input))
    for (let count = free.length; count < input.slots; count++) {
      const name = newSlotName()
      await holding(layout, name, async () => {
        const slot = await buildSlot(deps, layout, name, input.base)
        await refresh(deps, layout, slot, input)
      })
    }
  })
}

/** A claim for as long as this process lives. */
function hold(layout: ProjectLayout, slot: string): Promise<boolean> {
  const at = new Date().toISOString()
  const nobodys = { slot, key: `warm ${slot}`, branch: '', base: '', active: false, at }
  return takeSlot(layout, { ...nobodys, pid: process.pid })
}

/** Works on a free slot under a claim of our own, so that nobody takes it half way. */
async function holding(
  layout: ProjectLayout,
  slot: string,
  work: () => Promise<void>,
): Promise<void> {
  if (!(await hold(layout, slot))) return
  try {
    await work()
  } finally {
    await dropClaim(layout, slot)
  }
}

async function refresh(
  deps: GitDeps,
  layout: ProjectLayout,
  slot: Slot,
  input: { base: string; repoPath?: string },
): Promise<void> {
  const whole = await isLinked(slotTree(layout, slot))
  if (!whole || slot.sha !== input.base) await recycle(deps, layout, slot, input.base)
  if (input.repoPath === undefined) return
  const worktreePath = slotPath(layout, slot.name)
  await provisionDependencies({ repoPath: input.repoPath, worktreePath })
}

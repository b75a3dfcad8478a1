import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { someOf } from '../contracts/some-of.ts'
import { type GitDeps, publishCommit, restoreSandbox } from './hubs.ts'
import { type ProjectLayout, projectLayout, salvageRef, taskRef, writeWhole } from './layout.ts'
import { leftOut, wholeTree } from './left-out.ts'
import { GitProblem } from './problem.ts'
import { readRegularText } from './read-regular.ts'
import {
  changedFiles,
  checkSha,
  dateOf,
  hasCommit,
  isAncestor,
  readRef,
  setRef,
  treeOf,
} from './refs.ts'
import { type Claim, claimAt, findClaim, readSlot, type Slot } from './slots.ts'
import { stashedOn } from './stashes.ts'
import {
  asText,
  checkOut,
  fillIndex,
  isLinked,
  isRealFolder,
  lines,
  link,
  opening,
  removeWhatHangs,
  type SlotTree,
  slotTree,
  snapshotTree,
  sparing,
} from './tree.ts'

/** More than any HEAD holds. */
const HEAD_BYTES = 10_000

export type Trailers = Readonly<Record<string, string>>

/** Saved work: a ref in Dispatch's own clean repository of the project. */
export interface Salvage {
  repository: string
  ref: string
}

/** git writes them into a terminal as they are: an agent's title could move its cursor or fill the clipboard. */
const CONTROL = /[^\P{Cc}\n\t]/gu

/** Message with trailers at its end, as `git interpret-trailers` would write it, without control characters. */
export function messageWith(message: string, trailers: Trailers): string {
  const oneLine = (text: string) => text.replace(/\s+/g, ' ').trim()
  const block = Object.entries(trailers).map(([key, value]) => `${key}: ${oneLine(value)}`)
  return `${message.replace(CONTROL, '').trim()}\n${block.length > 0 ? `\n${block.join('\n')}\n` : ''}`
}

/** The commit a worktree stands on, if any. HEAD is a file the agent can write, so it is read as text and checked. */
async function findHead(
  deps: GitDeps,
  layout: ProjectLayout,
  tree: SlotTree,
  branch: string,
): Promise<string | undefined> {
  const text = ((await readRegularText(join(tree.adminDir, 'HEAD'), HEAD_BYTES)) ?? '').trim()
  const ref = /^ref: (refs\/heads\/[^\s~^:?*[\\]+)$/.exec(text)?.[1]
  const named = ref ? await readRef(deps.git, layout.sandbox, ref) : undefined
  if (named) return named
  if (/^[0-9a-f]{40,64}$/.test(text) && (await hasCommit(deps.git, layout.sandbox, text)))
    return text
  return readRef(deps.git, layout.sandbox, `refs/heads/${branch}`)
}

/**
 * The commit that a claimed worktree stands on. Where an agent deleted what the sandbox hub knows of it, that is made again, and it stands on
 * what was published of it last: its files are there still.
 */
export async function standing(
  deps: GitDeps,
  layout: ProjectLayout,
  { claim, tree }: { claim: Claim; tree: SlotTree },
): Promise<string> {
  const found = await findHead(deps, layout, tree, claim.branch)
  const head = found ?? (await lastPublished(deps, layout, claim))
  if (await isLinked(tree)) return head
  await link(tree)
  await writeWhole(join(tree.adminDir, 'HEAD'), `${head}\n`)
  await fillIndex(deps.git, tree, head)
  return head
}

async function commitTree(
  deps: GitDeps,
  tree: SlotTree,
  commit: { tree: string; parents: string[]; message: string; date?: number },
): Promise<string> {
  const parents = commit.parents.flatMap((sha) => ['-p', sha])
  return deps.git.text(['commit-tree', commit.tree, ...parents], {
    ...tree.call,
    ...(commit.date === undefined ? {} : { date: commit.date }),
    input: commit.message,
  })
}

/** A claimed worktree and the commit it stands on; what an agent had changed in the sandbox hub is put back. */
export async function openWorktree(
  deps: GitDeps,
  input: { projectId: string; worktreePath: string },
) {
  const layout = projectLayout(deps.home, input.projectId)
  const claim = await claimAt(layout, input.worktreePath)
  const slot = claim && (await readSlot(layout, claim.slot))
  if (!claim || !slot || !(await isRealFolder(input.worktreePath)))
    throw new GitProblem(
      'workspace_lost',
      `${input.worktreePath} is not a claimed worktree.`,
      'Retry the stage; it claims a new one.',
    )
  const tree = slotTree(layout, slot)
  await deps.queue.run(layout.sandbox, () => restoreSandbox(deps, layout))
  const head = await standing(deps, layout, { claim, tree })
  return { layout, claim, slot, tree, head }
}

async function clearTheWay({ log }: GitDeps, tree: SlotTree): Promise<void> {
  const removed = await removeWhatHangs(tree)
  if (removed.length > 0) log('removed what git would wait for', { worktree: tree.path, removed })
}

export interface CommitResult {
  head: string
  /** Whether the branch differs from the commit the task started at. */
  changed: boolean
  /** Files in which it differs. */
  files: string[]
  /** Whether this call made a commit. */
  committed: boolean
  /** Files that are in no commit because the person's own excludes name them, and folders (`name/`) that are repositories of their own. */
  leftOut: string[]
  /** Folders that git cannot open. */
  closed: string[]
  /** Files that were in conflict and still hold conflict markers. */
  unresolved: string[]
  /** Files of others that a merge had brought and that are as they were before it. */
  undone: string[]
}

/** Commits everything uncommitted on the task's branch, on top of what the agent committed itself. Nothing to do is fine. */
export async function commitAll(
  deps: GitDeps,
  input: {
    projectId: string
    worktreePath: string
    message: string
    trailers: Trailers
    /** Told of commits of the branch that the worktree does not stand upon any more. Again when the call is cut off and made again. */
    onSalvaged?: (salvage: Salvage) => Promise<void>
  },
): Promise<CommitResult> {
  const opened = await openWorktree(deps, input)
  const { layout, claim, tree } = opened
  const { git } = deps
  await clearTheWay(deps, tree)
  const { head, snapshot } = await workIn(deps, opened)
  const onto = claim.merging?.onto
  const merging =
    onto !== undefined && !(await isAncestor(git, layout.sandbox, { ancestor: onto, of: head }))
      ? onto
      : undefined
  const unresolved = claim.merging
    ? await stillConflicted(deps, layout, snapshot, claim.merging.files)
    : []
  const undone = await undoneIn(deps, layout, snapshot, claim.merging)
  const committed = merging !== undefined || snapshot !== (await treeOf(git, layout.sandbox, head))
  const parents = merging === undefined ? [head] : [head, merging]
  const next = committed
    ? await commitTree(deps, tree, {
        tree: snapshot,
        parents,
        message: messageWith(input.message, input.trailers),
      })
    : head
  await moveBranch(deps, layout, { claim, tree, to: next, onSalvaged: input.onSalvaged })
  if (claim.merging && unresolved.length === 0)
    for (const name of ['MERGE_HEAD', 'MERGE_MSG', 'MERGE_MODE'])
      await rm(join(tree.adminDir, name), { force: true })
  const files = await changedFiles(git, layout.sandbox, { from: claim.base, to: next })
  const { names, closed } = await leftOut(git, tree, claim.base)
  return {
    ...{ head: next, changed: files.length > 0, files, committed },
    ...{ leftOut: names.map(asText), closed, unresolved, undone },
  }
}

/**
 * What is in a worktree, and upon which commit. An agent that looked at an earlier commit of its branch and changed nothing there has taken nothing
 * back: the worktree stands where the branch does again.
 */
async function workIn(
  { git }: GitDeps,
  { layout, claim, tree, head }: Awaited<ReturnType<typeof openWorktree>>,
): Promise<{ head: string; snapshot: string }> {
  const snapshot = await opening(tree, (some) => snapshotTree(git, some, head))
  const own = await readRef(git, layout.sandbox, `refs/heads/${claim.branch}`)
  if (own === undefined || own === head || snapshot !== (await treeOf(git, layout.sandbox, head)))
    return { head, snapshot }
  if (!(await isAncestor(git, layout.sandbox, { ancestor: head, of: own })))
    return { head, snapshot }
  await checkOut(git, tree, own)
  return { head: own, snapshot: await snapshotTree(git, tree, own) }
}

/** What an agent did not bring into the merge, or took out of it again: as far as nobody had to decide anything about it, it is not its own. */
async function undoneIn(
  { git }: GitDeps,
  layout: ProjectLayout,
  snapshot: string,
  { head, brought = [] }: Partial<NonNullable<Claim['merging']>> = {},
): Promise<string[]> {
  if (head === undefined || brought.length === 0) return []
  const changed = new Set(await changedFiles(git, layout.sandbox, { from: head, to: snapshot }))
  return brought.filter((file) => !changed.has(file))
}

/** Of files as git told their names: stored, one may be no UTF-8, so they are looked for among all that the tree has. */
async function stillConflicted(
  { git }: GitDeps,
  { sandbox: gitDir }: ProjectLayout,
  tree: string,
  files: readonly string[],
): Promise<string[]> {
  const { stdout } = await git.run(['ls-tree', '-r', '-z', tree], { gitDir })
  const checks = lines(stdout).map(async (entry) => {
    const [, id = '', path = ''] = /^100\d+ blob (\w+)\t([\s\S]+)$/.exec(entry) ?? []
    const name = asText(path)
    if (!files.includes(name)) return []
    const content = (await git.run(['cat-file', 'blob', id], { gitDir })).stdout.toString('latin1')
    return /^<{7} .*$[\s\S]*^={7}$[\s\S]*^>{7} /m.test(content) ? [name] : []
  })
  return [...new Set((await Promise.all(checks)).flat())]
}

/** Our branch follows the worktree, and the worktree stands on our branch again, wherever the agent went. */
export async function moveBranch(
  deps: GitDeps,
  layout: ProjectLayout,
  move: {
    claim: Claim
    tree: SlotTree
    to: string
    onSalvaged?: ((salvage: Salvage) => Promise<void>) | undefined
  },
): Promise<void> {
  const ref = `refs/heads/${move.claim.branch}`
  await deps.queue.run(layout.sandbox, async () => {
    const old = await readRef(deps.git, layout.sandbox, ref)
    if (
      old !== undefined &&
      old !== move.to &&
      !(await isAncestor(deps.git, layout.sandbox, { ancestor: old, of: move.to }))
    ) {
      await publishCommit(deps, layout, old)
      const saved = await keepSalvage(deps, layout, move.claim.key, old)
      await move.onSalvaged?.({ repository: layout.clean, ref: saved })
    }
    if (old !== move.to) await setRef(deps.git, layout.sandbox, ref, move.to)
    const head = join(move.tree.adminDir, 'HEAD')
    if ((await readRegularText(head, HEAD_BYTES)) !== `ref: ${ref}\n`)
      await writeWhole(head, `ref: ${ref}\n`)
  })
}

/**
 * Brings a commit from the sandbox into the clean hub by its sha, and names it after the task's branch. A commit that git
 * refuses leaves the branch, so that the next one is not made upon it; the files stay.
 */
export async function publish(
  deps: GitDeps,
  input: { projectId: string; head: string; key?: string; worktreePath?: string },
): Promise<{ head: string }> {
  checkSha(input.head)
  const layout = projectLayout(deps.home, input.projectId)
  const claim =
    input.key !== undefined
      ? await findClaim(layout, input.key)
      : input.worktreePath !== undefined
        ? await claimAt(layout, input.worktreePath)
        : undefined
  try {
    await publishCommit(deps, layout, input.head)
  } catch (error) {
    if (claim && error instanceof GitProblem && error.code === 'unsafe_commit')
      await leaveCommit(deps, layout, claim)
    throw error
  }
  if (claim) await setRef(deps.git, layout.clean, taskRef(claim.branch), input.head)
  return { head: input.head }
}

/** What is known of a claim's branch without the sandbox: what was published of it last, or where it began. */
export const lastPublished = async (deps: GitDeps, layout: ProjectLayout, claim: Claim) =>
  (await readRef(deps.git, layout.clean, taskRef(claim.branch))) ?? claim.base

/** The branch goes back to before a commit that git refuses. */
async function leaveCommit(deps: GitDeps, layout: ProjectLayout, claim: Claim): Promise<void> {
  const to = await lastPublished(deps, layout, claim)
  await deps.queue.run(layout.sandbox, () =>
    setRef(deps.git, layout.sandbox, `refs/heads/${claim.branch}`, to),
  )
}

/** Pins what a review shows: `refs/dispatch/review/<id>` in the clean hub. */
export async function freeze(
  deps: GitDeps,
  input: { projectId: string; ref: string; sha: string },
): Promise<void> {
  checkSha(input.sha)
  if (!/^refs\/dispatch\/review\/[A-Za-z0-9][A-Za-z0-9_-]*$/.test(input.ref))
    throw new GitProblem(
      'bad_ref',
      `${JSON.stringify(input.ref)} is not a review ref.`,
      'Use refs/dispatch/review/<id>.',
    )
  const layout = projectLayout(deps.home, input.projectId)
  await publishCommit(deps, layout, input.sha)
  await setRef(deps.git, layout.clean, input.ref, input.sha)
}

/** Adds a salvage ref; an older one of the same key stays under its own number. */
async function keepSalvage(
  deps: GitDeps,
  layout: ProjectLayout,
  key: string,
  sha: string,
): Promise<string> {
  for (let number = 1; ; number++) {
    const ref = number === 1 ? salvageRef(key) : `${salvageRef(key)}.${number}`
    const there = await readRef(deps.git, layout.clean, ref)
    if (there === sha) return ref
    if (there !== undefined) continue
    await setRef(deps.git, layout.clean, ref, sha)
    deps.log('work saved', { ref, sha })
    return ref
  }
}

/** Whether nothing is lost with the worktree of a claim: what it began with is no work of its agent. */
const isKept = async (deps: GitDeps, layout: ProjectLayout, { base }: Claim, sha: string) =>
  sha === base ||
  ((await hasCommit(deps.git, layout.clean, sha)) &&
    (await deps.git.text(['rev-list', '-1', sha, '--not', '--all'], { gitDir: layout.clean })) ===
      '')

/**
 * Before a worktree goes: what is uncommitted, stashed, or committed and nowhere else, gets a salvage ref; so does what only the person's own
 * excludes keep out of commits, unless the worktree was `scratch`. Returns the ref, if any, and why something is in the worktree alone.
 */
export async function saveWork(
  deps: GitDeps,
  layout: ProjectLayout,
  { claim, slot, scratch }: { claim: Claim; slot: Slot; scratch: boolean },
): Promise<{ ref: string | undefined; unsaved: GitProblem | undefined }> {
  const tree = slotTree(layout, slot)
  const head = await standing(deps, layout, { claim, tree })
  await clearTheWay(deps, tree)
  const { result, unreadable } = await sparing(tree, async (some) => {
    const snapshot = await snapshotTree(deps.git, some, head)
    if (scratch) return { whole: snapshot, missing: [] }
    return wholeTree(deps.git, some, { snapshot, base: claim.base })
  })
  const stashed = await stashedOn(deps, layout, claim.branch)
  const dirty =
    stashed.length > 0 || result.whole !== (await treeOf(deps.git, layout.sandbox, head))
  const work = { snapshot: result.whole, parents: [head, ...stashed], key: claim.key }
  const sha = dirty ? await salvageCommit(deps, layout, tree, work) : head
  const safe = !dirty && (await isKept(deps, layout, claim, sha))
  const ref = safe ? undefined : await saveCommit(deps, layout, claim.key, sha)
  return {
    ref: ref ?? (await publishWork(deps, layout, claim)),
    unsaved: scratch ? undefined : notSaved(unreadable, result.missing),
  }
}

function notSaved(unreadable: string[], missing: string[]): GitProblem | undefined {
  const why = [
    unreadable.length > 0 ? `Git cannot read ${someOf(unreadable)}.` : '',
    missing.length > 0
      ? `Too many or too large to be saved, and named by no .gitignore of the project: ${someOf(missing)}.`
      : '',
  ].filter(Boolean)
  if (why.length === 0) return undefined
  const advice =
    'Copy what you need of it to another place and delete it there, then run dispatch doctor --repair.'
  return new GitProblem('not_saved', why.join(' '), advice)
}

/** Dated as its first parent, so that saving the same work twice is one commit. */
async function salvageCommit(
  deps: GitDeps,
  layout: ProjectLayout,
  tree: SlotTree,
  work: { snapshot: string; parents: string[]; key: string },
): Promise<string> {
  const [head = '', ...stashed] = work.parents
  const date = await dateOf(deps.git, layout.sandbox, head)
  const beside = stashed.length > 0 ? '\nThe other parents are what was left in git stash.\n' : ''
  const message = `Salvage of ${work.key}\n${beside}`
  return commitTree(deps, tree, { tree: work.snapshot, parents: work.parents, message, date })
}

async function saveCommit(
  deps: GitDeps,
  layout: ProjectLayout,
  key: string,
  sha: string,
): Promise<string> {
  await publishCommit(deps, layout, sha)
  return keepSalvage(deps, layout, key, sha)
}

/** The same for the branch itself: its worktree may be gone, or stand elsewhere. */
export async function publishWork(
  deps: GitDeps,
  layout: ProjectLayout,
  claim: Claim,
): Promise<string | undefined> {
  if (claim.branch === '') return undefined
  const head = await readRef(deps.git, layout.sandbox, `refs/heads/${claim.branch}`)
  if (head === undefined || (await isKept(deps, layout, claim, head))) return undefined
  return saveCommit(deps, layout, claim.key, head)
}

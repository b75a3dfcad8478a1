import { join } from 'node:path'
import { moveBranch, openWorktree, type Salvage, saveWork, type Trailers } from './commit.ts'
import { diffHash } from './diff.ts'
import { type GitDeps, publishCommit, requireHub } from './hubs.ts'
import { projectLayout, writeWhole } from './layout.ts'
import { checkMergeKey, commitMerge, findMergeKey, mergeTree } from './merge-tree.ts'
import { GitProblem } from './problem.ts'
import { changedFiles, checkBranchName, checkSha, isAncestor, readRef, swapRef } from './refs.ts'
import { writeClaim, writeSlot } from './slots.ts'
import { checkOut } from './tree.ts'

const TRIES = 5

/** Creates the goal's branch in the clean hub at `base`; one that exists stays as it is. Returns its head. */
export async function createGoalBranch(
  deps: GitDeps,
  input: { projectId: string; goalBranch: string; base: string },
): Promise<string> {
  checkBranchName(input.goalBranch)
  checkSha(input.base)
  const { clean } = projectLayout(deps.home, input.projectId)
  const ref = `refs/heads/${input.goalBranch}`
  await deps.queue.run(clean, () =>
    swapRef(deps.git, clean, { ref, to: input.base, from: undefined, why: 'dispatch: goal' }),
  )
  const head = await readRef(deps.git, clean, ref)
  if (head === undefined) throw new Error(`${ref} was not created`)
  return head
}

/** The head of a branch in the clean hub, such as the goal's. Throws `hub_gone`. */
export async function branchHead(
  deps: GitDeps,
  input: { projectId: string; branch: string },
): Promise<string | undefined> {
  checkBranchName(input.branch)
  const layout = projectLayout(deps.home, input.projectId)
  await requireHub(layout)
  return readRef(deps.git, layout.clean, `refs/heads/${input.branch}`)
}

export type IntegrateOutcome =
  | { outcome: 'merged'; commit: string }
  /** Merging it now would change something else than what was approved. */
  | { outcome: 'moved'; reason: string; base: string; tree: string; hash: string }
  | { outcome: 'conflict'; files: string[] }
export interface IntegrateInput {
  projectId: string
  goalBranch: string
  taskHead: string
  taskBase: string
  approved: { hash: string }
  message: string
  trailers: Trailers
  mergeKey: string
}

/** Puts an approved task on the goal's branch as one commit. The same key again gives the same commit. */
export async function integrateTask(
  deps: GitDeps,
  input: IntegrateInput,
): Promise<IntegrateOutcome> {
  checkBranchName(input.goalBranch)
  checkMergeKey(input.mergeKey)
  for (const sha of [input.taskBase, input.taskHead]) checkSha(sha)
  const layout = projectLayout(deps.home, input.projectId)
  await publishCommit(deps, layout, input.taskHead)
  return deps.queue.run(layout.clean, async () => {
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const result = await integrateOnce(deps, layout.clean, input)
      if (result) return result
    }
    throw new Error(`${input.goalBranch} kept moving`)
  })
}

async function integrateOnce(
  deps: GitDeps,
  gitDir: string,
  input: IntegrateInput,
): Promise<IntegrateOutcome | undefined> {
  const { git } = deps
  const ref = `refs/heads/${input.goalBranch}`
  const head = await readRef(git, gitDir, ref)
  if (head === undefined)
    throw new GitProblem(
      'target_missing',
      `The goal's branch ${input.goalBranch} does not exist.`,
      'Retry the goal from its spec.',
    )
  const before = await findMergeKey(git, gitDir, {
    key: input.mergeKey,
    from: input.taskBase,
    to: head,
  })
  if (before) return { outcome: 'merged', commit: before }
  const merged = await mergeTree(git, gitDir, head, input.taskHead)
  if (!merged.clean) return { outcome: 'conflict', files: merged.files }
  const hash = await diffHash(git, gitDir, head, merged.tree)
  if (hash !== input.approved.hash)
    return {
      outcome: 'moved',
      reason: 'Another task changed the same files since the approval.',
      base: head,
      tree: merged.tree,
      hash,
    }
  const commit = await commitMerge(git, gitDir, {
    tree: merged.tree,
    parents: [head],
    dateOf: [head, input.taskHead],
    message: input.message,
    trailers: { ...input.trailers, 'Dispatch-Merge-Key': input.mergeKey },
  })
  const won = await swapRef(git, gitDir, {
    ref,
    to: commit,
    from: head,
    why: `dispatch: ${input.mergeKey}`,
  })
  return won ? { outcome: 'merged', commit } : undefined
}

export interface OntoInput {
  projectId: string
  worktreePath: string
  /** Commit of the clean hub to bring into the task's branch: the goal's head. */
  onto: string
  /** Told of what was changed in the worktree since it was committed, which is saved. Again when the call is cut off and made again. */
  onSalvaged?: (salvage: Salvage) => Promise<void>
}
export type RebaseOutcome =
  | { outcome: 'rebased'; base: string; head: string }
  | { outcome: 'conflict'; files: string[] }

/** Brings `onto` into the task's branch as a merge commit. Everything must be committed before (`commitAll`). */
export async function rebaseTask(deps: GitDeps, input: OntoInput): Promise<RebaseOutcome> {
  checkSha(input.onto)
  const { git } = deps
  const opened = await openWorktree(deps, input)
  const { layout, claim, slot, tree, head } = opened
  await publishCommit(deps, layout, head)
  const clean = layout.clean
  const done = await isAncestor(git, clean, { ancestor: input.onto, of: head })
  const merged = done ? undefined : await mergeTree(git, clean, head, input.onto)
  if (merged && !merged.clean) return { outcome: 'conflict', files: merged.files }
  const next = merged
    ? await commitMerge(git, clean, {
        tree: merged.tree,
        parents: [head, input.onto],
        dateOf: [head, input.onto],
        message: `Bring ${claim.branch} up to date`,
        trailers: {},
      })
    : head
  // Files first: cut here, the next call finds the old head and makes the same commit again.
  if (next !== head) await overwrite(deps, opened, { ...input, by: next })
  await moveBranch(deps, layout, { claim, tree, to: next, onSalvaged: input.onSalvaged })
  await writeSlot(layout, { ...slot, sha: next })
  const { merging: _none, ...rest } = claim
  await writeClaim(layout, { ...rest, base: input.onto })
  return { outcome: 'rebased', base: input.onto, head: next }
}

/** Saves what was changed in a worktree since it was committed, by a process that an agent left or a person who looked at it, and checks out. */
async function overwrite(
  deps: GitDeps,
  { layout, claim, slot, tree }: Awaited<ReturnType<typeof openWorktree>>,
  { by, onSalvaged }: { by: string; onSalvaged?: OntoInput['onSalvaged'] },
): Promise<void> {
  const { ref } = await saveWork(deps, layout, { claim, slot, scratch: true })
  if (ref !== undefined) await onSalvaged?.({ repository: layout.clean, ref })
  await checkOut(deps.git, tree, by)
}

/**
 * Leaves the merge of `onto` in the task's worktree with conflict markers, for the agent to resolve; `commitAll` then makes
 * the merge commit. Everything must be committed before. Returns the files in conflict; again returns the same.
 */
export async function prepareConflict(
  deps: GitDeps,
  input: OntoInput,
): Promise<{ files: string[] }> {
  checkSha(input.onto)
  const { git } = deps
  const opened = await openWorktree(deps, input)
  const { layout, claim, tree, head } = opened
  if (claim.merging?.onto === input.onto) return { files: claim.merging.files }
  await publishCommit(deps, layout, head)
  const merged = await mergeTree(git, layout.clean, head, input.onto)
  const files = merged.clean ? [] : merged.files
  const changed = await changedFiles(git, layout.clean, { from: head, to: merged.tree })
  const brought = changed.filter((file) => !files.includes(file))
  await overwrite(deps, opened, { ...input, by: merged.tree })
  // With these two files plain `git commit` by the agent makes a merge commit as well.
  await writeWhole(join(tree.adminDir, 'MERGE_MSG'), `Merge the goal's work into ${claim.branch}\n`)
  await writeWhole(join(tree.adminDir, 'MERGE_HEAD'), `${input.onto}\n`)
  await writeClaim(layout, {
    ...claim,
    base: input.onto,
    merging: { onto: input.onto, files, head, brought },
  })
  return { files }
}

import type { GitDeps } from './hubs.ts'
import { projectLayout } from './layout.ts'
import { createMemo, type Memo } from './memo.ts'
import { commitMerge, mergeTree } from './merge-tree.ts'
import { checkSha, commitOf, isAncestor, treeOf } from './refs.ts'
import type { GitRunner } from './run.ts'

/** A goal's branch, and a commit of its target to merge it onto. */
export interface GoalOnto {
  onto: string
  /** The commit of the target at which the goal's work began. */
  began: string
  head: string
}
/** `head`: what comes onto the target beside the merge. `own`: not the goal's branch but its own commits, made again. */
export type MergedOnto =
  | { clean: true; tree: string; head: string; own: boolean }
  | { clean: false; files: string[]; own: boolean }

/** What commits merge to never changes, and the outcome is in the hub: a merge asks more than once. */
const merges = new WeakMap<GitRunner, Memo<MergedOnto>>()

/**
 * Merges a goal onto a commit of its target, without a working tree. Where that does not hold any more what the goal began at, the
 * person took commits out of the history, and with the goal's branch they would come back: so its own commits are made again.
 */
export async function mergeOnto(
  git: GitRunner,
  gitDir: string,
  goal: GoalOnto,
): Promise<MergedOnto> {
  const known = merges.get(git) ?? createMemo<MergedOnto>(100)
  merges.set(git, known)
  const { onto, began, head } = goal
  return known.get([gitDir, onto, began, head].join(' '), async () => {
    if (!(await isAncestor(git, gitDir, { ancestor: began, of: onto })))
      return { ...(await replay(git, gitDir, goal)), own: true }
    return { head, ...(await mergeTree(git, gitDir, onto, head)), own: false }
  })
}

/** As `git rebase --onto`: again, the commits are the same ones. */
async function replay(git: GitRunner, gitDir: string, { onto, began, head }: GoalOnto) {
  const own = await ownCommits(git, gitDir, { began, head })
  if (!own) throw new Error(`commit ${head} does not come from ${began}`)
  let tip = { sha: onto, tree: (await treeOf(git, gitDir, onto)) ?? '' }
  for (const { sha, parent, message } of own) {
    // merge-tree takes a base from git 2.40 on; before, it finds the one of two commits that are made of it
    const beside = await commitMerge(git, gitDir, {
      ...{ tree: tip.tree, parents: [parent], dateOf: [parent] },
      ...{ message: 'The target, beside the goal', trailers: {} },
    })
    const merged = await mergeTree(git, gitDir, beside, sha)
    if (!merged.clean) return merged
    if (merged.tree === tip.tree) continue
    const { tree } = merged
    const again = { tree, parents: [tip.sha], dateOf: [tip.sha, sha], message, trailers: {} }
    tip = { sha: await commitMerge(git, gitDir, again), tree }
  }
  return { clean: true, tree: tip.tree, head: tip.sha } as const
}

/** What the goal's branch has beyond where it began, the oldest first; undefined where it does not come from there. */
async function ownCommits(
  git: GitRunner,
  gitDir: string,
  { began, head }: { began: string; head: string },
): Promise<{ sha: string; parent: string; message: string }[] | undefined> {
  const commits = []
  for (let sha = head; sha !== began; ) {
    const { parents, message } = await commitOf(git, gitDir, sha)
    const [parent] = parents
    if (parent === undefined) return undefined
    commits.unshift({ sha, parent, message })
    sha = parent
  }
  return commits
}

/** The commits of a goal in the clean hub, the oldest first; undefined where `head` does not come from where it began. */
export async function goalCommits(
  deps: GitDeps,
  { projectId, began, head }: { projectId: string; began: string; head: string },
): Promise<string[] | undefined> {
  for (const sha of [began, head]) checkSha(sha)
  const { clean } = projectLayout(deps.home, projectId)
  return (await ownCommits(deps.git, clean, { began, head }))?.map(({ sha }) => sha)
}

/** What a merge onto `onto` would give; the commits are in the clean hub. For what a review shows. */
export async function previewMerge(
  deps: GitDeps,
  { projectId, ...goal }: GoalOnto & { projectId: string },
): Promise<MergedOnto> {
  for (const sha of [goal.onto, goal.began, goal.head]) checkSha(sha)
  return mergeOnto(deps.git, projectLayout(deps.home, projectId).clean, goal)
}

import { join } from 'node:path'
import { someOf } from '../contracts/some-of.ts'
import {
  type Blocked,
  blockedByIndex,
  type Checkout,
  checkoutsOf,
  dryRun,
  lostCheckout,
  updateCheckout,
} from './checkouts.ts'
import type { Trailers } from './commit.ts'
import { diffHash } from './diff.ts'
import { filteredFiles } from './filters.ts'
import { isForeign } from './foreign.ts'
import {
  bringCommit,
  ensureHubs,
  type GitDeps,
  importTarget,
  locateOwn,
  publishCommit,
  sendCommit,
} from './hubs.ts'
import type { Place } from './inspect.ts'
import type { ProjectLayout } from './layout.ts'
import { type MergedOnto, mergeOnto } from './merge-onto.ts'
import { checkMergeKey, commitMerge, findMergeKey } from './merge-tree.ts'
import { GitProblem } from './problem.ts'
import { checkBranchName, checkSha, readRef, swapRef, symbolicRef, treeOf } from './refs.ts'
import { checkCommonHistory } from './shallow.ts'

/** The steps of a merge, each a point at which the process may die (facts 3.3). */
export type MergeStep = 'M0' | 'M1' | 'M2' | 'M3' | 'M4' | 'M5' | 'M6' | 'M7' | 'M8' | 'M9'

/** What is stored about a merge before it happens. `applied`: the person's checkout was brought up to date as well. */
export interface MergeIntent {
  newSha?: string
  applied?: boolean
}
export interface MergeGoalInput {
  projectId: string
  repoPath: string
  /** Branch of the person's repository. */
  target: string
  goalHead: string
  /** The commit of the target at which the goal's work began. */
  began: string
  /** What the person saw: the target's head at that time, and the hash of the diff against it. */
  approved: { base: string; hash: string }
  message: string
  trailers: Trailers
  mergeKey: string
  /** Brings a merge to its end that is on the target already, and begins none. */
  onlyFinish?: boolean
  intent: {
    load(): Promise<MergeIntent | undefined>
    /** Stores what will be on the target. False, and nothing is stored, when the merge is not wanted any more. */
    begin(newSha: string): Promise<boolean>
    save(intent: MergeIntent): Promise<void>
  }
  /** Called at the beginning of each step; what it throws ends the merge there. For kill tests. */
  onStep?: (step: MergeStep) => Promise<void>
}
export type MergeOutcome =
  /** `stale`: the merge is on the branch, but the checkout does not follow. */
  | {
      outcome: 'merged'
      commit: string
      checkout: 'updated' | 'not_checked_out' | 'stale'
      /** Files of the checkout that should be gone and could not be deleted; the note tells them. */
      left?: string[]
      note?: string
    }
  /** Against the target's present head the change is not the one that was approved, or (`foreign`) that is of another history. */
  | { outcome: 'base_moved'; hash: string; base: string; tree: string; foreign: boolean }
  /** `own`: of the goal's own commits, because the target does not hold any more what they began at; `foreign` as above. */
  | { outcome: 'conflict'; files: string[]; own: boolean; foreign: boolean }
  /** The person's git would rewrite these files with a filter of theirs, which never runs here. */
  | { outcome: 'filtered'; filters: string[]; files: string[] }
  /** The target does not have it, and it was only to be finished or is not wanted any more. */
  | { outcome: 'not_begun' }
  | Blocked

interface Merge extends MergeGoalInput, Place {
  deps: GitDeps
  layout: ProjectLayout
  /** The target in the person's repository: the branch itself, where its name stands for another one. */
  ref: string
  step: (step: MergeStep) => Promise<void>
}

/** A person who commits all the time can make us lose the race this often before they are told (facts R03). */
const TRIES = 5
/** How the advice of a block ends. */
const RETRY = 'retry the merge'

/**
 * Merges an approved goal into the person's branch, once: never forced, never over uncommitted work, and again with the
 * same key it finds the first merge. Facts 3.3, R02 to R04.
 */
export async function mergeGoal(deps: GitDeps, input: MergeGoalInput): Promise<MergeOutcome> {
  checkBranchName(input.target)
  checkMergeKey(input.mergeKey)
  for (const sha of [input.goalHead, input.began, input.approved.base]) checkSha(sha)
  const layout = await ensureHubs(deps, input)
  const place = await locateOwn(deps, layout, { repoPath: input.repoPath })
  const { commonDir } = place
  const named = `refs/heads/${input.target}`
  const merge: Merge = {
    ...input,
    ...place,
    deps,
    layout,
    ref: (await symbolicRef(deps.git, commonDir, named)) ?? named,
    step: input.onStep ?? (async () => undefined),
  }
  return deps.queue.run(commonDir, async () => {
    await merge.step('M0')
    await bringApproved(merge)
    const drifted = (await changeOnto(merge, input.approved.base)) !== input.approved.hash
    await merge.step('M1')
    const intent = (await input.intent.load()) ?? {}
    if (!intent.newSha) await input.intent.save(intent)
    for (let attempt = 0; attempt < TRIES; attempt++) {
      const result = await mergeOnce(merge, { ...intent, drifted })
      if (result) return withNotes(merge, result)
    }
    const message = `${input.target} changed ${TRIES} times while the merge was made. Retry when nobody is committing to it.`
    return { outcome: 'blocked', code: 'target_busy', message }
  })
}

const goalOnto = (m: Merge, onto: string): Promise<MergedOnto> =>
  mergeOnto(m.deps.git, m.layout.clean, { onto, began: m.began, head: m.goalHead })

/** Says where the goal's own commits were made again, also of a merge that was found, and what is left in the checkout. */
async function withNotes(m: Merge, result: MergeOutcome): Promise<MergeOutcome> {
  if (result.outcome !== 'merged' || result.note !== undefined) return result
  const { left = [], ...merged } = result
  const notes: string[] = []
  if ((await readRef(m.deps.git, m.layout.clean, `${merged.commit}^2`)) !== m.goalHead)
    notes.push(
      `${m.target} does not hold ${m.began.slice(0, 12)} any more, at which the work began: only the goal's own commits were put on it, so that nothing comes back that was taken out of its history.`,
    )
  if (left.length > 0)
    notes.push(
      `Git may not delete ${someOf(left)} in your checkout, which the merge takes out of ${m.target}: delete by hand what is still there.`,
    )
  return notes.length > 0 ? { ...merged, note: notes.join(' ') } : merged
}

async function bringApproved(m: Merge): Promise<void> {
  await publishCommit(m.deps, m.layout, m.goalHead)
  const from = { objects: join(m.commonDir, 'objects'), sha: m.approved.base, strict: false }
  await m.deps.queue.run(m.layout.clean, () => bringCommit(m.deps, m.layout.clean, from))
}

/** What the merge changes on a commit of the target; undefined when it conflicts. Where the goal is ahead of it, its own diff. */
async function changeOnto(m: Merge, base: string): Promise<string | undefined> {
  const merged = await goalOnto(m, base)
  return merged.clean ? diffHash(m.deps.git, m.layout.clean, base, merged.tree) : undefined
}

async function importHead(m: Merge): Promise<string | Blocked> {
  try {
    return await importTarget(m.deps, m, m)
  } catch (error) {
    if (error instanceof GitProblem && error.code === 'target_missing')
      return { outcome: 'blocked', code: 'target_missing', message: error.message }
    throw error
  }
}

/** One attempt against the target's present head; undefined when somebody else moved it meanwhile. */
async function mergeOnce(
  m: Merge,
  state: MergeIntent & { drifted: boolean },
): Promise<MergeOutcome | undefined> {
  const { git } = m.deps
  const gitDir = m.layout.clean
  await m.step('M2')
  const old = await importHead(m)
  if (typeof old !== 'string') return (await finishRenamed(m, state)) ?? old
  const before = await findMergeKey(git, gitDir, {
    key: m.mergeKey,
    from: m.approved.base,
    to: old,
  })
  if (before) return finishEarlier(m, { commit: before, tip: old, applied: state.applied === true })
  if (m.onlyFinish) return { outcome: 'not_begun' }
  await checkCommonHistory(git, m.layout, { sha: m.goalHead, haves: [old] })
  await m.step('M3')
  const merged = await goalOnto(m, old)
  const foreign = merged.own && (await isForeign(git, m, { approved: m.approved.base, head: old }))
  if (!merged.clean) return { outcome: 'conflict', files: merged.files, own: merged.own, foreign }
  // as after a merge by hand: there is nothing that a person could approve
  if (merged.tree === (await treeOf(git, gitDir, old))) return nothingLeft(m, old)
  const hash = await diffHash(git, gitDir, old, merged.tree)
  if (foreign || state.drifted || hash !== m.approved.hash)
    return { outcome: 'base_moved', hash, base: old, tree: merged.tree, foreign }
  const filtered = await filteredFiles(git, m, { from: old, to: merged.tree })
  if (filtered.length > 0)
    return {
      outcome: 'filtered',
      filters: [...new Set(filtered.map(({ filter }) => filter))],
      files: filtered.map(({ name }) => name),
    }
  await m.step('M4')
  const commit = await commitMerge(git, gitDir, {
    tree: merged.tree,
    parents: [old, merged.head],
    dateOf: [old, merged.head],
    message: m.message,
    trailers: { ...m.trailers, 'Dispatch-Merge-Key': m.mergeKey },
  })
  await m.step('M5')
  if (!(await m.intent.begin(commit))) return { outcome: 'not_begun' }
  return apply(m, { from: old, to: commit })
}

const nothingLeft = ({ target }: Merge, commit: string): MergeOutcome => ({
  ...{ outcome: 'merged', commit, checkout: 'not_checked_out' },
  note: `Nothing was left to merge into ${target}.`,
})

async function apply(
  m: Merge,
  move: { from: string; to: string },
): Promise<MergeOutcome | undefined> {
  const { deps, layout, commonDir, target } = m
  await m.step('M6')
  const checkouts = await checkoutsOf(deps, m, { ref: m.ref })
  for (const checkout of checkouts) {
    const lost = lostCheckout(checkout)
    if (lost) return lost
  }
  if (checkouts.length > 1) return manyCheckouts(target, checkouts)
  for (const checkout of checkouts) {
    const blocked = await blockedByIndex(() => dryRun(deps, layout, { checkout, ...move }))
    if (blocked) return blocked
  }
  await sendCommit(deps, layout, { commonDir, sha: move.to, haves: [move.from] })
  await m.step('M7')
  const change = {
    ref: m.ref,
    to: move.to,
    from: move.from,
    why: `dispatch: merge ${m.mergeKey}`,
  }
  const won = await blockedByIndex(() => swapRef(deps.git, commonDir, change))
  if (typeof won !== 'boolean') return won
  if (!won) return undefined
  await m.step('M8')
  const left = await updateAll(m, move)
  if (!Array.isArray(left))
    return (await takeBack(m, move)) ? left : stale(move.to, movedOn(m.target, move.to))
  // who committed before the files were there took them out again
  if ((await readRef(deps.git, commonDir, m.ref)) !== move.to && checkouts.length > 0)
    return stale(move.to, movedOn(target, move.to))
  await m.step('M9')
  await m.intent.save({ newSha: move.to, applied: true })
  return {
    outcome: 'merged',
    commit: move.to,
    checkout: checkouts.length > 0 ? 'updated' : 'not_checked_out',
    left,
  }
}

function manyCheckouts(target: string, checkouts: readonly Checkout[]): Blocked {
  const where = checkouts.map((checkout) => checkout.path).join(' and ')
  const message = `${target} is checked out in more than one place: ${where}. Check out another branch in all but one, then retry the merge.`
  return { outcome: 'blocked', code: 'checked_out_elsewhere', message }
}

/**
 * The person may have switched branches since the dry run, so the checkouts are looked up again, also those that went to another name of the same
 * commit. Gives what could not be deleted.
 */
async function updateAll(
  m: Merge,
  move: { from: string; to: string; begun?: true },
): Promise<Blocked | string[]> {
  const left: string[] = []
  for (const checkout of await checkoutsOf(m.deps, m, { ref: m.ref, commit: move.to })) {
    const done = await blockedByIndex(() => updateCheckout(m.deps, m.layout, { checkout, ...move }))
    if (!Array.isArray(done)) return done
    left.push(...done)
  }
  return left
}

/** The person's file became dirty in the instant after the dry run: the branch goes back, if it is still where we put it. */
async function takeBack(m: Merge, move: { from: string; to: string }): Promise<boolean> {
  const change = {
    ref: m.ref,
    to: move.from,
    from: move.to,
    why: `dispatch: merge ${m.mergeKey} taken back`,
  }
  return swapRef(m.deps.git, m.commonDir, change)
}

const movedOn = (target: string, commit: string) =>
  `${target} got more commits, perhaps before its checkout held the files of the merge ${commit.slice(0, 12)}. Look whether they undo it (git diff ${commit.slice(0, 12)} ${target}); if they do, bring the files back (git checkout ${commit.slice(0, 12)} -- FILE).`

/**
 * The branch has the merge and its checkout has not: there the merge looks like changes of the person that take it out again, so
 * what usually helps against a block, to commit or stash, would undo it.
 */
function notFollowed(m: Merge, move: { from: string; to: string }, blocked: Blocked): Blocked {
  const [from, to] = [move.from.slice(0, 12), move.to.slice(0, 12)]
  const finish = m.onlyFinish ? `run \`git read-tree -m -u ${from} ${to}\` there` : RETRY
  const what =
    blocked.code === 'dirty_files'
      ? `You have edits of ${someOf(blocked.files ?? [])}: copy them to another folder, put the files back as they were before the merge (\`git checkout ${from} -- FILE\`; delete one that was not there), then ${finish}.`
      : blocked.message.replace(RETRY, finish)
  const message = `${m.target} has the merge ${to} already, but its checkout does not hold the files yet. Do not commit or stash there: it would take the merge out again. ${what}`
  return { ...blocked, message }
}

const stale = (commit: string, note: string): MergeOutcome => ({
  ...{ outcome: 'merged', commit, checkout: 'stale', note },
})

/** The key is on the branch already. If we died before the checkout followed, and the branch is still there, it follows now. */
async function finishEarlier(
  m: Merge,
  merge: { commit: string; tip: string; applied: boolean },
): Promise<MergeOutcome> {
  const { commit } = merge
  const repaired = { outcome: 'merged', commit, checkout: 'updated' } as const
  if (merge.applied) return repaired
  // the branch went on from a checkout that may not hold our files: to touch it now could undo the person's work
  if (merge.tip !== commit) {
    const { length } = await checkoutsOf(m.deps, m, { ref: m.ref })
    if (length === 0) return { ...repaired, checkout: 'not_checked_out' }
    return stale(commit, movedOn(m.target, commit))
  }
  const parent = await readRef(m.deps.git, m.layout.clean, `${commit}^1`)
  if (parent === undefined) throw new Error(`merge ${commit} has no parent`)
  await m.step('M8')
  const move = { from: parent, to: commit }
  const left = await updateAll(m, { ...move, begun: true })
  if (!Array.isArray(left)) {
    const told = notFollowed(m, move, left)
    return m.onlyFinish ? stale(commit, told.message) : told
  }
  await m.step('M9')
  await m.intent.save({ newSha: commit, applied: true })
  return { ...repaired, left }
}

/** The target may have been renamed since the merge was put on it: a checkout that stands on the merge has it then. */
async function finishRenamed(
  m: Merge,
  { newSha: commit, applied = false }: MergeIntent,
): Promise<MergeOutcome | undefined> {
  if (commit === undefined) return undefined
  const there = await checkoutsOf(m.deps, m, { ref: m.ref, commit })
  return there.length > 0 ? finishEarlier(m, { commit, tip: commit, applied }) : undefined
}

import { checkoutsOf } from './checkouts.ts'
import { ensureHubs, type GitDeps, locateOwn, publishCommit, sendCommit } from './hubs.ts'
import { type ProjectLayout, personObjects } from './layout.ts'
import { GitProblem } from './problem.ts'
import { checkBranchName, checkSha, readRef, swapRef } from './refs.ts'

/**
 * Puts a branch of ours (`dispatch/...`) into the person's repository, so that work can be found there.
 * Throws `branch_not_ours` for any other name or for a branch with commits we do not know, `branch_checked_out_elsewhere`.
 */
export async function exportBranch(
  deps: GitDeps,
  input: { projectId: string; repoPath: string; branch: string; sha: string },
): Promise<void> {
  checkBranchName(input.branch)
  checkSha(input.sha)
  if (!input.branch.startsWith('dispatch/'))
    throw new GitProblem(
      'branch_not_ours',
      `${input.branch} is not one of Dispatch's branches.`,
      'Use a name that begins with dispatch/.',
    )
  const layout = await ensureHubs(deps, input)
  const place = await locateOwn(deps, layout, { repoPath: input.repoPath })
  const { commonDir } = place
  await publishCommit(deps, layout, input.sha)
  await deps.queue.run(commonDir, async () => {
    const ref = `refs/heads/${input.branch}`
    const old = await readRef(deps.git, commonDir, ref)
    if (old === input.sha) return
    if ((await checkoutsOf(deps, place, { ref })).length > 0)
      throw new GitProblem(
        'branch_checked_out_elsewhere',
        `${input.branch} is checked out.`,
        'Check out another branch there, then try again.',
      )
    if (
      old &&
      !(await deps.git.succeeds(['cat-file', '-e', `${old}^{commit}`], { gitDir: layout.clean }))
    )
      throw new GitProblem(
        'branch_not_ours',
        `${input.branch} has commits that are not Dispatch's.`,
        'Rename that branch, then try again.',
      )
    await sendCommit(deps, layout, {
      commonDir,
      sha: input.sha,
      haves: await knownHeads(deps, layout, commonDir),
    })
    if (
      !(await swapRef(deps.git, commonDir, {
        ref,
        to: input.sha,
        from: old,
        why: 'dispatch: keep the work',
      }))
    )
      throw new GitProblem('ref_conflict', `${input.branch} changed meanwhile.`, 'Try again.')
  })
}

/** Heads the person's repository has and the clean hub knows: what need not be sent. */
async function knownHeads(
  deps: GitDeps,
  layout: ProjectLayout,
  commonDir: string,
): Promise<string[]> {
  const refs = ['for-each-ref', '--format=%(objectname)', 'refs/dispatch/target']
  const targets = (await deps.git.text(refs, { gitDir: layout.clean })).split('\n').filter(Boolean)
  const call = personObjects(layout, commonDir)
  const known = await Promise.all(
    targets.map((sha) => deps.git.succeeds(['cat-file', '-e', `${sha}^{commit}`], call)),
  )
  return targets.filter((_, index) => known[index])
}

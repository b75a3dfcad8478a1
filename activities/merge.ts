import type { Knex } from 'knex'
import { goalStream, shortId, taskKey } from '../contracts/ids.ts'
import { someOf } from '../contracts/some-of.ts'
import { storable } from '../contracts/storable.ts'
import type { Tx } from '../db/connect.ts'
import type { EmittedEvent } from '../db/events.ts'
import { type GoalFacts, loadFacts, type TaskRow } from '../db/facts.ts'
import { changeStage, openStage, passAtLast, type StageKey } from '../db/stages.ts'
import type { MergeIntent, MergeOutcome } from '../git/merge-goal.ts'
import type { ActivityDeps } from './deps.ts'
import { setGoal } from './lifecycle.ts'
import type { IntegrateResult, MergeResult } from './types.ts'
import { goalHead, releaseTask, tellSalvaged } from './workspace.ts'

interface Approval {
  id: string
  number: number
  base: string
  head: string
  hash: string
}

/** Approved work onto the goal's branch, and the goal's branch onto the target. Only what was approved, and once. */
export function createMergeActivities(deps: ActivityDeps) {
  const { database, git } = deps

  /** Puts the task on the goal's branch as one commit, exactly as its review was approved. */
  async function integrateTask(input: {
    goalId: string
    taskId: string
    attempt: number
  }): Promise<IntegrateResult> {
    const facts = await loadFacts(database.knex, input.goalId, input.taskId)
    const { task, goal, project } = facts
    if (!task || !goal.branch)
      throw new Error(`task ${input.taskId} cannot be integrated: it has no branch`)
    if (task.status === 'integrated') return merged(facts, task) // killed just before the last step
    await goalHead(deps, facts)
    const approval = await approvalOf({
      goal_id: goal.id,
      task_id: task.id,
      kind: 'task',
      attempt: input.attempt,
    })
    const outcome = await git.integrateTask({
      projectId: project.id,
      goalBranch: goal.branch,
      taskHead: approval.head,
      taskBase: approval.base,
      approved: { hash: approval.hash },
      message: task.title,
      trailers: {
        'Dispatch-Goal': shortId('goal', goal.number),
        'Dispatch-Task': shortId('task', task.number),
        'Dispatch-Review': shortId('review', approval.number),
      },
      mergeKey: `${goal.id}/${task.id}/${approval.head}/${approval.base}`,
    })
    if (outcome.outcome === 'merged') {
      const { attempt } = input
      await recordIntegrated(facts, task, { commit: outcome.commit, attempt })
      return merged(facts, task)
    }
    return bringUpToDate(facts, task, outcome)
  }

  async function merged(facts: GoalFacts, task: TaskRow): Promise<IntegrateResult> {
    await releaseTask(deps, facts, task)
    return { outcome: 'merged' }
  }

  /** The goal's branch moved under an approved task: its worktree gets the new work, and it must be judged again. */
  async function bringUpToDate(
    facts: GoalFacts,
    task: TaskRow,
    outcome: { outcome: 'moved' | 'conflict' },
  ): Promise<IntegrateResult> {
    const { project } = facts
    const onto = await goalHead(deps, facts)
    const claim = {
      projectId: project.id,
      key: taskKey(task.id),
      base: task.base ?? onto,
      branch: task.branch ?? '',
    }
    const { path } = await git.claimWorktree(claim)
    const onSalvaged = tellSalvaged(deps, facts.goal.id)
    const at = { projectId: project.id, worktreePath: path, onto, onSalvaged }
    const rebased = outcome.outcome === 'moved' ? await git.rebaseTask(at) : undefined
    if (rebased?.outcome === 'rebased') {
      await git.publish({ projectId: project.id, key: claim.key, head: rebased.head })
      await database
        .knex('tasks')
        .where({ id: task.id })
        .update({ base: rebased.base, head: rebased.head })
      return {
        outcome: 'moved',
        summary:
          'Other work on the goal touched the same files; the task was brought up to date with it.',
      }
    }
    const { files } = await git.prepareConflict(at)
    await database.knex('tasks').where({ id: task.id }).update({ base: onto })
    const summary = `Other work on the goal conflicts with this task in ${files.slice(0, 20).join(', ')}. The working tree holds both with conflict markers: resolve them and keep what both wanted.`
    return { outcome: 'conflict', summary }
  }

  async function recordIntegrated(
    facts: GoalFacts,
    task: TaskRow,
    { commit, attempt }: { commit: string; attempt: number },
  ): Promise<void> {
    const review: StageKey = { goalId: facts.goal.id, taskId: task.id, stage: 'review', attempt }
    await database.change(async (tx, emit) => {
      await passAtLast(tx, emit, review)
      await tx('tasks').where({ id: task.id }).update({
        status: 'integrated',
        merged_commit: commit,
        reason: null,
        updated_at: tx.fn.now(),
      })
      const data = {
        goalId: facts.goal.id,
        taskId: task.id,
        status: 'integrated',
        reason: null,
      } as const
      emit({ type: 'task.status', stream: goalStream(facts.goal.id), actor: 'dispatch', data })
    })
  }

  /**
   * Merges the goal into its target, once, with compare-and-swap. What may be merged: the tasks' approved commits as
   * they stand on the goal's branch; or what a merge review approved, when the target moved or the audit had doubts. Once a
   * person wanted the whole changed, only a person's approval of the whole merges it.
   */
  async function mergeGoal({
    goalId,
    attempt,
  }: {
    goalId: string
    attempt: number
  }): Promise<MergeResult> {
    const facts = await loadFacts(database.knex, goalId)
    const { goal } = facts
    if (goal.merged_commit) return { outcome: 'merged', commit: goal.merged_commit }
    if (!goal.base_commit) throw new Error(`goal ${goalId} has not begun`)
    const head = await goalHead(deps, facts)
    const key: StageKey = { goalId, taskId: null, stage: 'merge', attempt }
    const answer = await database.change(async (tx, emit): Promise<MergeResult | undefined> => {
      const now = await tx('goals')
        .where({ id: goalId })
        .forUpdate()
        .first('paused', 'ending', 'merged_commit')
      // by another worker, while this one stood still
      if (now.merged_commit) return { outcome: 'merged', commit: now.merged_commit }
      if (now.paused || now.ending) return { outcome: 'held' }
      await openStage(tx, key, null)
      await changeStage(tx, emit, { key, change: { status: 'running', reason: null } })
      await setGoal(tx, emit, { goalId, status: 'active', stage: 'merge', reason: null })
      return undefined
    })
    if (answer) return answer
    const work = { head, base: goal.base_commit }
    const objection = (await lastObjection(goalId)) ?? (await unapproved(facts, work))
    if (objection) return { outcome: 'moved', summary: objection }
    return mergeNow(facts, { key, ...work })
  }

  /** True when the merge of this goal is on the target already; it is finished then, whatever was asked meanwhile. */
  async function finishBegunMerge(goalId: string): Promise<boolean> {
    const begun = await database
      .knex('merge_intents')
      .where({ goal_id: goalId })
      .whereNotNull('new_sha')
      .first('key')
    if (!begun) return false
    const facts = await loadFacts(database.knex, goalId)
    const { goal, project } = facts
    if (goal.merged_commit) return true
    const head = goal.branch
      ? await git.branchHead({ projectId: project.id, branch: goal.branch })
      : undefined
    const last = await database
      .knex('stage_attempts')
      .where({ goal_id: goalId, stage: 'merge' })
      .max({ n: 'attempt' })
      .first()
    if (!head || !goal.base_commit || !last?.['n']) return false
    const key: StageKey = { goalId, taskId: null, stage: 'merge', attempt: Number(last['n']) }
    const ended = await mergeNow(facts, { key, head, base: goal.base_commit, onlyFinish: true })
    return ended.outcome === 'merged'
  }

  async function mergeNow(
    facts: GoalFacts,
    {
      key,
      head,
      base,
      onlyFinish = false,
    }: { key: StageKey; head: string; base: string; onlyFinish?: boolean },
  ): Promise<MergeResult> {
    const { goal, project } = facts
    const goalId = goal.id
    const review = await lastMergeReview(goalId, head)
    const approved = review ?? {
      base,
      hash: await git.diffHash({ projectId: project.id, base, head }),
    }
    const mergeKey = `${goalId}/${head}/${approved.base}`
    const reviews = review ? [review.number] : await taskReviews(goalId)
    const outcome = await git.mergeGoal({
      projectId: project.id,
      repoPath: project.path,
      target: goal.target_branch,
      goalHead: head,
      began: base,
      approved: { base: approved.base, hash: approved.hash },
      message: `${goal.title}\n\nMerges ${shortId('goal', goal.number)} into ${goal.target_branch}.`,
      trailers: {
        'Dispatch-Goal': shortId('goal', goal.number),
        'Dispatch-Review': reviews.map((number) => shortId('review', number)).join(', '),
      },
      mergeKey,
      onlyFinish,
      intent: intentOf(mergeKey, facts, review?.id ?? null),
    })
    switch (outcome.outcome) {
      case 'merged':
        await database.change((tx, emit) =>
          recordMerge(tx, emit, { facts, key, commit: outcome.commit, note: outcome.note }),
        )
        return { outcome: 'merged', commit: outcome.commit }
      case 'base_moved':
        return { outcome: 'moved', summary: movedWords(facts, outcome) }
      case 'conflict':
        return conflicting(facts, { head, base }, outcome)
      case 'filtered':
        await giveBranch(facts, head)
        return {
          outcome: 'blocked',
          reason: `Your git rewrites ${someOf(outcome.files)} when it checks them out (filter ${outcome.filters.join(', ')}), and Dispatch does not run filters. The work is in your repository as ${goal.branch}, those files as the agent left them: merge it yourself (\`git merge --squash ${goal.branch}\`, for each of those files \`git cat-file blob ${goal.branch}:FILE > FILE\` and \`git add FILE\`, so that your filter stores it, then \`git commit\`) and cancel the goal.`,
        }
      case 'not_begun':
        if (!onlyFinish)
          await database.change((tx, emit) =>
            changeStage(tx, emit, { key, change: { status: 'paused', reason: null } }),
          )
        return { outcome: 'held' }
      case 'blocked':
        return { outcome: 'blocked', reason: outcome.message }
      default:
        return outcome satisfies never
    }
  }

  async function conflicting(
    facts: GoalFacts,
    { head, base }: { head: string; base: string },
    { files, own, foreign }: Extract<MergeOutcome, { outcome: 'conflict' }>,
  ): Promise<MergeResult> {
    const { target_branch: target, branch } = facts.goal
    // nor does the branch belong there
    if (foreign)
      return {
        outcome: 'blocked',
        reason: `${foreignWords(facts)} There the work conflicts in ${someOf(files)}. Put the right one back and retry, or cancel the goal.`,
      }
    await giveBranch(facts, head)
    return {
      outcome: 'blocked',
      reason: `${target} moved and conflicts with the goal in ${someOf(files)}. The work is in your repository as ${branch}: take the conflicting change out of ${target} and retry, or ${byHand(facts, own ? base : undefined)} and cancel the goal.`,
    }
  }

  /** What is not merged can be found in the person's repository. */
  const giveBranch = ({ goal, project }: GoalFacts, sha: string) =>
    git.exportBranch({
      projectId: project.id,
      repoPath: project.path,
      branch: goal.branch ?? '',
      sha,
    })

  function intentOf(mergeKey: string, { goal }: GoalFacts, reviewId: string | null) {
    const row = () => database.knex('merge_intents').where({ key: mergeKey })
    const write = async (knex: Knex, intent: MergeIntent): Promise<void> => {
      const values = {
        new_sha: intent.newSha ?? null,
        state: intent.applied ? 'applied' : 'intended',
      }
      await knex('merge_intents')
        .insert({
          key: mergeKey,
          goal_id: goal.id,
          review_id: reviewId,
          target: goal.target_branch,
          ...values,
        })
        .onConflict('key')
        .merge({ ...values, updated_at: knex.fn.now() })
    }
    return {
      async load(): Promise<MergeIntent | undefined> {
        const found = await row().first()
        if (!found) return undefined
        return {
          ...(found.new_sha ? { newSha: found.new_sha } : {}),
          applied: found.state === 'applied',
        }
      },
      begin: (newSha: string) =>
        database.change(async (tx) => {
          // the row is locked, so a pause or cancellation comes wholly before the merge or wholly after it
          const now = await tx('goals').where({ id: goal.id }).forUpdate().first('paused', 'ending')
          if (now.paused || now.ending) return false
          await write(tx, { newSha })
          return true
        }),
      save: (intent: MergeIntent) => write(database.knex, intent),
    }
  }

  async function approvalOf(where: Record<string, unknown>): Promise<Approval> {
    const review = await database
      .knex('reviews')
      .where({ ...where, status: 'approved', decision: 'approve' })
      .first()
    if (!review?.head) throw new Error('nothing was approved: a merge needs a decision')
    return review
  }

  async function lastMergeReview(goalId: string, head: string): Promise<Approval | undefined> {
    const where = { goal_id: goalId, kind: 'merge', status: 'approved', head }
    return database.knex('reviews').where(where).orderBy('number', 'desc').first()
  }

  /** Why the whole has to be asked for again: the last word on it was a wish for changes. */
  async function lastObjection(goalId: string): Promise<string | undefined> {
    const last = await database
      .knex('reviews')
      .where({ goal_id: goalId, kind: 'merge' })
      .whereNotNull('decision')
      .orderBy('number', 'desc')
      .first('number', 'decision', 'comment')
    if (last?.decision !== 'request_changes') return undefined
    const said = last.comment ? `: ${last.comment}` : ''
    const summary = `Changes were requested in ${shortId('review', last.number)}, so a person approves the whole as it is now${said}`
    return storable(summary.slice(0, 2000))
  }

  /**
   * The same, because the goal's branch is not what its tasks put there and nothing else, nor has a person seen it so: what runs without a
   * sandbox can write to the hub as well.
   */
  async function unapproved(
    { goal, project }: GoalFacts,
    { base, head }: { base: string; head: string },
  ): Promise<string | undefined> {
    if (await lastMergeReview(goal.id, head)) return undefined
    const commits = await git.goalCommits({ projectId: project.id, began: base, head })
    const known: string[] = await database
      .knex('tasks')
      .where({ goal_id: goal.id })
      .whereNotNull('merged_commit')
      .pluck('merged_commit')
    if (commits?.length === known.length && commits.every((sha) => known.includes(sha)))
      return undefined
    return `${goal.branch} holds something else in Dispatch's own copy of the repository than the tasks that were approved: it was changed there by something other than Dispatch. Look at the whole again, and approve it only as you want it.`
  }

  async function taskReviews(goalId: string): Promise<number[]> {
    const rows = await database
      .knex('reviews')
      .where({ goal_id: goalId, kind: 'task', status: 'approved' })
      .orderBy('number')
      .select('number')
    if (rows.length === 0) throw new Error('nothing was approved: a merge needs a decision')
    return rows.map((row) => row.number)
  }

  return { integrateTask, mergeGoal, finishBegunMerge }
}

const foreignWords = ({ goal, project }: GoalFacts) =>
  `${project.path} has no commit in common with what ${goal.target_branch} was when the work was approved: another repository is there now, or its whole history was made anew.`

const movedWords = (facts: GoalFacts, { foreign }: { foreign: boolean }): string =>
  foreign
    ? `${foreignWords(facts)} Approve only if the work belongs there; if not, put the right one back first.`
    : `${facts.goal.target_branch} moved since the work was approved, and the change against it is another one now.`

/** `began`: given where the target does not hold it any more. */
const byHand = ({ goal }: GoalFacts, began: string | undefined): string =>
  began === undefined
    ? 'merge the branch yourself'
    : `put its own commits on ${goal.target_branch} (\`git rebase --onto ${goal.target_branch} ${began.slice(0, 12)} ${goal.branch}\`; merged as it is, it brings back what you took out of the history), merge it yourself`

async function recordMerge(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  {
    facts,
    key,
    commit,
    note,
  }: { facts: GoalFacts; key: StageKey; commit: string; note: string | undefined },
): Promise<void> {
  const goalId = facts.goal.id
  const stream = goalStream(goalId)
  const recorded = await tx('goals')
    .where({ id: goalId })
    .whereNull('merged_commit')
    .update({ merged_commit: commit })
  if (!recorded) return // another worker took this merge over while this one stood still
  await changeStage(tx, emit, {
    key,
    change: { status: 'passed', reason: note ?? null, result: { outcome: 'passed' } },
  })
  emit({
    type: 'goal.merged',
    stream,
    actor: 'dispatch',
    data: { goalId, commit, target: facts.goal.target_branch },
  })
  await setGoal(tx, emit, { goalId, status: 'completed', stage: 'merge', reason: note ?? null })
}

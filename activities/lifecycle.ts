import { goalStream, shortId, taskKey } from '../contracts/ids.ts'
import type { CheckCommand } from '../contracts/schemas.ts'
import { OVER_STATUSES } from '../contracts/stages.ts'
import type { Tx } from '../db/connect.ts'
import { expireCorrections } from '../db/corrections.ts'
import type { EmittedEvent } from '../db/events.ts'
import { type GoalFacts, loadFacts, type TaskRow } from '../db/facts.ts'
import { adaptersOf } from '../db/goal-profile.ts'
import { beginEnding, voidReviews } from '../db/goals.ts'
import { releaseLease } from '../db/pool.ts'
import type { RunRow } from '../db/runs.ts'
import { changeStage } from '../db/stages.ts'
import { GitProblem, isGitsFault } from '../git/problem.ts'
import { abandonAttempt } from './abandon-attempt.ts'
import type { ActivityDeps } from './deps.ts'
import { lookAtGitSettings } from './git-settings.ts'
import { goalBranch, taskBranch } from './names.ts'
import { endRuns } from './run-record.ts'
import { createTasks, recordPolicyApproval } from './tasks.ts'
import type { EndGoalInput, GoalSettings, NewTask, ReportAnswer, ReportInput } from './types.ts'
import { releaseScratch, releaseTask, tellSalvaged } from './workspace.ts'

/** How a goal begins, asks for help and ends. */
export function createLifecycleActivities(
  deps: ActivityDeps,
  finishBegunMerge: (goalId: string) => Promise<boolean>,
) {
  const { database, git } = deps

  /** Brings the target into the hub, makes the goal's branch, and answers what the workflow must know of the profile. */
  async function startGoal({ goalId }: { goalId: string }): Promise<GoalSettings> {
    const { goal, project } = await loadFacts(database.knex, goalId)
    const answer = {
      skipSpecReview: goal.profile.skipSpecReview,
      maxVerifyRounds: goal.profile.maxVerifyRounds,
      adapters: adaptersOf(goal.profile),
    }
    if (goal.base_commit && goal.branch) return answer
    const at = { projectId: project.id, repoPath: project.path }
    const [base] = await Promise.all([
      goal.base_commit ?? git.importTarget({ ...at, target: goal.target_branch }),
      lookAtGitSettings(deps, project),
    ])
    await database.knex('goals').where({ id: goalId }).update({ base_commit: base })
    const branch = goalBranch(goal)
    await git.createGoalBranch({ projectId: project.id, goalBranch: branch, base })
    await database.knex('goals').where({ id: goalId }).update({ branch })
    // for the stages to come; the first one need not wait for it
    git.keepWarm({ projectId: project.id, base, slots: 2 })
    return answer
  }

  /** A spec that goes on without a person: the policy's approval is recorded as a decision like any other. */
  async function approveSpec({ goalId }: { goalId: string }): Promise<NewTask[]> {
    return database.change(async (tx, emit) => {
      await recordPolicyApproval(tx, emit, goalId)
      return createTasks(tx, emit, goalId)
    })
  }

  /** Says that a person is needed and why, or that the work goes on again. */
  async function report(input: ReportInput): Promise<ReportAnswer> {
    if (input.status === 'needs_attention') {
      if (!input.around && (await wentOn(input))) return { answered: true }
      // whatever the failed attempt left at work would write beside the next one
      await abandonAttempt(deps, input, input.reason ?? 'the stage failed')
    }
    await database.change(async (tx, emit) => {
      const { goalId, taskId, stage, attempt, status, reason } = input
      const key = { goalId, taskId, stage, attempt }
      const row = await tx('stage_attempts')
        .where({ goal_id: goalId, task_id: taskId, stage, attempt })
        .first('status')
      if (row && status === 'needs_attention')
        await changeStage(tx, emit, { key, change: { status: 'failed', reason } })
      if (taskId) {
        await tx('tasks').where({ id: taskId }).update({ status, reason, updated_at: tx.fn.now() })
        emit({
          type: 'task.status',
          stream: goalStream(goalId),
          actor: 'dispatch',
          data: { goalId, taskId, status, reason },
        })
      }
      const goal = await tx('goals').where({ id: goalId }).forUpdate().first('ending', 'stage')
      if (!goal.ending)
        return needPerson(tx, emit, { ...input, place: `${taskId ?? 'goal'}/${stage}` })
      // while a goal ends, nobody is needed but by the ending itself, which is no attempt of a stage
      if (attempt > 0) return
      const said = reason && `could not be ended yet, retry or cancel it again to go on: ${reason}`
      await needPerson(tx, emit, { ...input, stage: goal.stage, reason: said, place: 'ending' })
    })
    return undefined
  }

  /** Whether the work went on after this attempt: the stage was begun again, or a later one of its task was. */
  async function wentOn({ goalId, taskId, stage, attempt }: ReportInput): Promise<boolean> {
    const ofSame = () => database.knex('stage_attempts').where({ goal_id: goalId, task_id: taskId })
    const own = await ofSame().where({ stage, attempt }).first('id')
    if (!own) return false
    const later = await ofSame()
      .where('id', '>', own.id)
      .modify((query) => {
        // stages of the goal as a whole run side by side
        if (taskId === null) query.where({ stage })
      })
      .first('id')
    return later !== undefined
  }

  /** Keeps what needs a person at this place, or that nothing does any more. */
  async function needPerson(
    tx: Tx,
    emit: (event: EmittedEvent) => void,
    { place, goalId, status, stage, reason }: ReportInput & { place: string },
  ): Promise<void> {
    const attention =
      status === 'needs_attention'
        ? tx.raw('attention || ?::jsonb', [JSON.stringify({ [place]: reason })])
        : tx.raw('attention - ?::text', [place])
    await tx('goals').where({ id: goalId }).update({ attention })
    await setGoal(tx, emit, { goalId, status, stage, reason })
  }

  /**
   * Ends a goal without a merge: ends its runs, saves every bit of work, keeps its branches in the person's repository
   * and says where they are.
   */
  async function endGoal({ goalId, reason }: EndGoalInput): Promise<void> {
    const facts = await loadFacts(database.knex, goalId)
    if (OVER_STATUSES.includes(facts.goal.status)) return
    await database.change((tx, emit) =>
      beginEnding(tx, emit, { id: goalId, reason, actor: 'dispatch' }),
    )
    // a merge that had begun is finished: half of one would be undone by the person's next commit
    const begun = await finishBegunMerge(goalId).catch((error) => {
      if (!(error instanceof GitProblem)) throw error
      // a repository that moved away must not keep the goal from ending
      return error
    })
    if (begun === true) return
    const unknown =
      begun instanceof GitProblem
        ? `; whether its merge had begun could not be seen: ${begun.message}`
        : ''
    const live: RunRow[] = await database
      .knex('agent_runs')
      .where({ goal_id: goalId, status: 'running' })
    await endRuns(deps, live, 'the goal was cancelled')
    const tasks: TaskRow[] = await database.knex('tasks').where({ goal_id: goalId })
    let lost = ''
    const kept = await keepBranches(facts, tasks).catch((error) => {
      if (!(error instanceof GitProblem) || error.code !== 'hub_gone') throw error
      lost = `; ${error.message}`
      return worktreesOf(facts, tasks)
    })
    await releaseWorkspaces(facts, tasks)
    const where = kept.length > 0 ? `; the work is kept in ${kept.join(', ')}` : ''
    await database.change(async (tx, emit) => {
      const open = await tx('stage_attempts')
        .where({ goal_id: goalId })
        .whereIn('status', ['waiting', 'running', 'paused', 'review'])
      for (const row of open) {
        const key = { goalId, taskId: row.task_id, stage: row.stage, attempt: row.attempt }
        await changeStage(tx, emit, { key, change: { status: 'cancelled', reason } })
      }
      // one may have been opened while the goal began to end
      await voidReviews(tx, emit, { goalId, actor: 'dispatch', reason })
      for (const task of tasks) {
        if (task.status === 'integrated') continue
        await tx('tasks')
          .where({ id: task.id })
          .update({ status: 'cancelled', reason, updated_at: tx.fn.now() })
        const data = { goalId, taskId: task.id, status: 'cancelled', reason } as const
        emit({ type: 'task.status', stream: goalStream(goalId), actor: 'dispatch', data })
      }
      for (const lease of await tx('run_leases')
        .where({ goal_id: goalId })
        .whereIn('state', ['held', 'waiting'])) {
        await releaseLease(tx, lease.id, emit)
      }
      await setGoal(tx, emit, {
        goalId,
        status: 'cancelled',
        stage: facts.goal.stage,
        reason: `${reason}${where}${lost}${unknown}`,
      })
    })
  }

  /** Without a hub nothing can be saved, and what agents left in their worktrees stays there. */
  async function worktreesOf({ project }: GoalFacts, tasks: readonly TaskRow[]): Promise<string[]> {
    const open = tasks.filter(({ status }) => status !== 'integrated')
    const paths = await Promise.all(
      open.map(({ id }) => git.worktreeOf({ projectId: project.id, key: taskKey(id) })),
    )
    return paths.filter((path) => path !== undefined)
  }

  async function keepBranches(
    { goal, project }: GoalFacts,
    tasks: readonly TaskRow[],
  ): Promise<string[]> {
    const at = { projectId: project.id, repoPath: project.path }
    const kept: string[] = []
    const keep = async (branch: string, sha: string | null | undefined) => {
      if (!sha || sha === goal.base_commit) return
      try {
        await git.exportBranch({ ...at, branch, sha })
        kept.push(branch)
      } catch (error) {
        if (!isGitsFault(error)) throw error
        // the work is safe in the hub; a repository that moved away must not keep the goal from ending
        kept.push(`${branch} (only in Dispatch's own hub: ${error.message})`)
      }
    }
    if (!goal.branch) return kept
    await keep(goal.branch, await git.branchHead({ projectId: project.id, branch: goal.branch }))
    for (const task of tasks) {
      if (task.status === 'integrated' || !task.branch) continue
      const claim = { projectId: project.id, key: taskKey(task.id), branch: taskBranch(task) }
      let place = 'its worktree'
      try {
        const { path } = await git.claimWorktree({ ...claim, base: goal.base_commit ?? '' })
        place = path
        await keep(task.branch, await saveAll(task, { ...claim, path }))
      } catch (error) {
        if (!isGitsFault(error)) throw error
        // what git does not take in must not keep the goal from ending
        await keep(task.branch, task.head)
        const name = shortId('task', task.number)
        kept.push(`${place} (${name} could not be saved whole: ${error.message})`)
      }
    }
    return kept
  }

  /** Commits what is unfinished and brings it into the hub. */
  async function saveAll(
    task: TaskRow,
    { projectId, key, path }: { projectId: string; key: string; path: string },
  ): Promise<string> {
    const message = `Unfinished work of ${shortId('task', task.number)}`
    const onSalvaged = tellSalvaged(deps, task.goal_id)
    const commit = { projectId, worktreePath: path, message, trailers: {}, onSalvaged }
    const { head } = await git.commitAll(commit)
    await git.publish({ projectId, key, head })
    return head
  }

  async function releaseWorkspaces(
    { goal, project }: GoalFacts,
    tasks: readonly TaskRow[],
  ): Promise<void> {
    for (const task of tasks) await releaseTask(deps, { goal, project }, task)
    // a stage that was at work had a worktree to look at, also one that the cancellation has ended by now
    const begun = await database
      .knex('stage_attempts')
      .where({ goal_id: goal.id })
      .whereNotIn('status', ['passed', 'skipped'])
    for (const row of begun) {
      const task = tasks.find(({ id }) => id === row.task_id)
      await releaseScratch(deps, { goal, project, task }, row)
    }
  }

  return { startGoal, approveSpec, report, endGoal }
}

/** Changes the goal's row and tells of it; the same state again is not told twice. */
export async function setGoal(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  change: {
    goalId: string
    status: 'active' | 'needs_attention' | 'completed' | 'cancelled'
    stage: GoalFacts['goal']['stage']
    reason: string | null
  },
): Promise<void> {
  const before = await tx('goals')
    .where({ id: change.goalId })
    .forUpdate()
    .first('status', 'stage', 'reason', 'paused', 'ending', 'attention')
  const over = OVER_STATUSES.includes(change.status)
  // what needs a person is not hidden by what goes on beside it
  const [needed] = Object.values(before.attention as Record<string, string>)
  const working = needed === undefined ? change.status : 'needs_attention'
  const status = over ? change.status : before.paused && working === 'active' ? 'paused' : working
  const keeps = needed === undefined && (status === 'paused' || before.ending)
  const reason = over ? change.reason : keeps ? before.reason : (needed ?? change.reason)
  if (before.status === status && before.stage === change.stage && before.reason === reason) return
  await tx('goals')
    .where({ id: change.goalId })
    .update({ status, stage: change.stage, reason, updated_at: tx.fn.now() })
  emit({
    type: 'goal.status',
    stream: goalStream(change.goalId),
    actor: 'dispatch',
    data: { goalId: change.goalId, status, stage: change.stage, reason },
  })
  if (over) await expireCorrections(tx, emit, change.goalId)
}

/** The checks of a Node or Python project, as its own files name them; a project's settings come first. */
export function detectChecks(packageJson: string | undefined): CheckCommand[] {
  if (packageJson === undefined) return []
  try {
    const scripts: Record<string, unknown> = JSON.parse(packageJson)?.scripts ?? {}
    return ['build', 'lint', 'test']
      .filter(
        (name) =>
          typeof scripts[name] === 'string' && !String(scripts[name]).includes('no test specified'),
      )
      .map((name) => ({ name, command: `npm run --silent ${name}` }))
  } catch {
    // a package.json that is no JSON is the agent's or the person's to mend; it names no checks
    return []
  }
}

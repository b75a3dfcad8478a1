import { formatTokens, reviewWait } from '../contracts/figures.ts'
import { goalStream, goalWorkflowId, shortId, taskWorkflowId } from '../contracts/ids.ts'
import type {
  AuditFinding,
  AuditOutput,
  BuiltOutput,
  SpecOutput,
  VerifyItem,
} from '../contracts/outputs.ts'
import type { ChecklistItem, CheckResult, DiffFile, SecondOpinion } from '../contracts/schemas.ts'
import type { Decision, Risk, StageStatus, Tier } from '../contracts/stages.ts'
import { storable } from '../contracts/storable.ts'
import { grantToGoal, tokensUsed } from '../db/budgets.ts'
import type { Tx } from '../db/connect.ts'
import type { EmittedEvent } from '../db/events.ts'
import { type GoalFacts, loadFacts } from '../db/facts.ts'
import { gitChangesSince } from '../db/git-changes.ts'
import { waitedFor } from '../db/goals.ts'
import { approvedByPolicy, reviewDecided } from '../db/review-decided.ts'
import { changeStage, openStage } from '../db/stages.ts'
import { checklistDoubts, judgedFile, reviewTier } from '../domain/blast-radius.ts'
import { grantedBudget } from '../domain/budget.ts'
import { opinionDoubts, withSecondOpinion } from '../domain/second-opinion.ts'
import { placeOf, worstVerdicts } from '../domain/spec-items.ts'
import type { Diff } from '../git/diff.ts'
import { endOfCheck, unrunDoubts } from './checks.ts'
import { findingsOf, leftOutWords } from './conclude.ts'
import type { ActivityDeps } from './deps.ts'
import { setGoal } from './lifecycle.ts'
import { addRequestedTask, createTasks } from './tasks.ts'
import type { NewTask, OpenedReview, OpenReviewInput, SettledReview } from './types.ts'
import { goalHead } from './workspace.ts'

/** What a review shows and what its decision is bound to. */
interface Subject {
  title: string
  reason: string
  hash: string
  tier: Tier
  risk: Risk
  base?: string
  head?: string
  tree?: string
  checklist?: ChecklistItem[]
  files?: DiffFile[]
  summary?: string | null
  deviations?: string[]
  findings?: AuditFinding[]
  secondOpinion?: SecondOpinion | undefined
  specId?: string
  /** Of a budget review: whose, and how many tokens in all an approval allows. */
  budgetScope?: 'task' | 'goal'
  offeredTokens?: number
}

/** Opens reviews and reads decisions. Postgres is the arbiter: the workflow only waits for the row to be decided. */
export function createReviewActivities(deps: ActivityDeps) {
  const { database, git } = deps

  /** Opens the review of this attempt, once. A tier below `block` is decided by the policy in the same transaction. */
  async function openReview(input: OpenReviewInput): Promise<OpenedReview> {
    const found = await database
      .knex('reviews')
      .where(identity(input))
      .first('id', 'status', 'head')
    if (found) {
      // whoever stored it may have been killed before the commit was kept
      await keepCommit(input.goalId, found)
      return { reviewId: found.id, decided: found.status !== 'pending' }
    }
    const facts = await loadFacts(database.knex, input.goalId, input.taskId)
    const subject = await subjectOf(facts, input)
    const reviewId = await database.change((tx, emit) =>
      insertReview(tx, emit, { input, facts, subject }),
    )
    await keepCommit(input.goalId, { id: reviewId, head: subject.head ?? null })
    return { reviewId, decided: subject.tier !== 'block' }
  }

  /** The commit that is judged stays in the hub whatever happens to branches. Again, it changes nothing. */
  async function keepCommit(
    goalId: string,
    { id, head }: { id: string; head: string | null },
  ): Promise<void> {
    if (!head) return
    const goal = await database.knex('goals').where({ id: goalId }).first('project_id')
    await git.freeze({ projectId: goal.project_id, ref: `refs/dispatch/review/${id}`, sha: head })
  }

  /** What was decided, if anything was, with the tasks that it makes. */
  async function settleReview({ reviewId }: { reviewId: string }): Promise<SettledReview> {
    return database.change(async (tx, emit) => {
      const review = await tx('reviews').where({ id: reviewId }).forUpdate().first()
      if (!review || review.status === 'pending' || !review.decision) return { decided: false }
      const approved = review.decision === 'approve'
      const tasks = await tasksOf(tx, emit, review)
      await settleStage(tx, emit, review)
      await settleTask(tx, emit, review)
      if (review.kind === 'budget' && approved) await grantTokens(tx, review)
      return {
        decided: true,
        decision: review.decision,
        comment: storable(review.comment?.slice(0, 2000) ?? null),
        tasks,
      }
    })
  }

  async function subjectOf(facts: GoalFacts, input: OpenReviewInput): Promise<Subject> {
    switch (input.kind) {
      case 'spec':
        return {
          ...specSubject(facts),
          deviations: await gitChangesSince(database.knex, facts.goal, { task_id: null }),
        }
      case 'task':
        return taskSubject(facts, input)
      case 'merge':
        return mergeSubject(facts, input)
      case 'budget':
        return budgetSubject(facts, input)
      default:
        return input.kind satisfies never
    }
  }

  /** Whose budget is asked for: the goal's when this stage was the one that found it used up, or when its task has none. */
  async function budgetScope(
    task: GoalFacts['task'],
    input: OpenReviewInput,
  ): Promise<'task' | 'goal'> {
    if (!task || task.token_budget === 0) return 'goal'
    const goal = await database.knex('goals').where({ id: input.goalId }).first('budget_asked_by')
    const asksForGoal = goal.budget_asked_by?.startsWith(`${input.taskId}/${input.stage}/`)
    return asksForGoal ? 'goal' : 'task'
  }

  /** What is offered is counted once, from what is used by now: it is what a person reads and what an approval grants. */
  async function budgetSubject(
    { task, goal }: GoalFacts,
    input: OpenReviewInput,
  ): Promise<Subject> {
    const scope = await budgetScope(task, input)
    const ofTask = scope === 'task' ? task : undefined
    const where = ofTask ? { task_id: ofTask.id } : { goal_id: goal.id }
    const used = await tokensUsed(database.knex, where)
    const offered = grantedBudget(used, ofTask ? goal.profile.tokenBudget : goal.token_budget)
    return {
      title: `More tokens for ${ofTask?.title ?? goal.title}?`,
      budgetScope: scope,
      offeredTokens: offered,
      reason: `${input.reason} Its work is kept; approve to let it use ${formatTokens(offered)} in all.`,
      hash: `budget-${task?.id ?? goal.id}-${input.attempt}`,
      tier: 'block',
      risk: 'medium',
    }
  }

  async function taskSubject(facts: GoalFacts, input: OpenReviewInput): Promise<Subject> {
    const { task, project } = facts
    if (!task?.base || !task.head) throw new Error(`task ${input.taskId} has no commit to review`)
    const diff = await git.diff({ projectId: project.id, base: task.base, head: task.head })
    const verified = (await answersOf<{ items: VerifyItem[] }>(facts, 'verify')).at(-1)
    const built = await answersOf<BuiltOutput>(facts, 'implement', 'frontend')
    const items = verified?.output?.items ?? []
    const checks = verified?.checks ?? []
    const opinion = verified?.second_opinion ?? undefined
    const securityIds = (facts.securitySpec?.content.items ?? []).map(({ id }) => id)
    const checklist = withSecondOpinion(checklistOf(facts, items, checks), securityIds, opinion)
    // of all attempts: what one did differently is in the work, whatever the next one says
    const told = [...new Set(built.flatMap(({ output }) => output?.deviations ?? []))]
    const missing = leftOutWords(built.at(-1)?.output ?? {})
    const settings = await gitChangesSince(database.knex, facts.goal, { task_id: task.id })
    const doubts = [
      ...(diff.truncated ? ['the diff is too large to show whole'] : []),
      ...(told.length > 0 ? ['the agent deviated from the spec'] : []),
      ...(missing.length > 0 ? ['files are left out of the commit'] : []),
      ...(settings.length > 0 ? ['git settings changed meanwhile'] : []),
      ...unrunDoubts(checks),
      ...checklistDoubts(checklist),
      ...opinionDoubts(checklist, opinion),
    ]
    const judged = reviewTier({ files: diff.files, doubts })
    return {
      title: task.title,
      ...judged,
      ...bound(diff),
      checklist,
      files: diff.files.map(judgedFile),
      summary: built.at(-1)?.output?.summary ?? null,
      deviations: [...told, ...missing, ...settings],
      secondOpinion: opinion,
    }
  }

  async function mergeSubject(facts: GoalFacts, input: OpenReviewInput): Promise<Subject> {
    const { goal, project } = facts
    const at = { projectId: project.id, repoPath: project.path }
    const base = await git.importTarget({ ...at, target: goal.target_branch })
    const head = await goalHead(deps, facts)
    // what the merge changes, so that other people's work on the target since then does not look undone
    const began = goal.base_commit ?? base
    const merged = await git.previewMerge({ projectId: project.id, onto: base, began, head })
    const diff = merged.clean
      ? await git.diff({ projectId: project.id, base, head: merged.tree })
      : await git.diff({ projectId: project.id, base: began, head })
    const audit = (await answersOf<AuditOutput>(facts, 'audit')).at(-1)
    const { risk } = reviewTier({ files: diff.files, doubts: [] })
    return {
      title: `Merge ${goal.title} into ${goal.target_branch}`,
      reason: input.reason,
      tier: 'block',
      risk,
      ...bound({ ...diff, head }),
      files: diff.files.map(judgedFile),
      summary: audit?.output?.summary ?? null,
      deviations: await gitChangesSince(database.knex, goal),
      findings: audit?.output ? findingsOf(audit.checks ?? [], audit.output) : [],
    }
  }

  /** The answered attempts of a goal's or task's stages, the newest last. */
  async function answersOf<T>(facts: GoalFacts, ...stages: string[]): Promise<StoredAnswer<T>[]> {
    return database
      .knex('stage_attempts')
      .where({
        goal_id: facts.goal.id,
        task_id: stages.includes('audit') ? null : (facts.task?.id ?? null),
      })
      .whereIn('stage', stages)
      .whereNotNull('output')
      .orderBy('id')
      .select('output', 'checks', 'second_opinion')
  }

  return { openReview, settleReview }
}

interface StoredAnswer<T> {
  output: T | null
  checks: CheckResult[] | null
  second_opinion: SecondOpinion | null
}

const identity = (input: OpenReviewInput) => ({
  goal_id: input.goalId,
  task_id: input.taskId,
  kind: input.kind,
  attempt: input.attempt,
})

const bound = (diff: Diff) => ({
  base: diff.base,
  head: diff.head,
  tree: diff.tree,
  hash: diff.hash,
})

function specSubject({ goal, spec }: GoalFacts): Subject {
  if (!spec) throw new Error(`goal ${goal.id} has no spec to review`)
  const risk = 'medium'
  const reason = 'no code is written before a person has approved the spec'
  return {
    title: `Spec of ${shortId('goal', goal.number)}: ${goal.title}`,
    reason,
    hash: spec.hash,
    tier: 'block',
    risk,
    specId: spec.id,
    summary: (spec.content as SpecOutput).summary,
  }
}

/** Every item of the specs and every check, with its evidence; what nobody judged is shown as unchecked. */
function checklistOf(
  facts: GoalFacts,
  items: readonly VerifyItem[],
  checks: readonly CheckResult[],
): ChecklistItem[] {
  const verdicts = worstVerdicts(items)
  const wanted = [
    ...(facts.spec?.content.requirements ?? []).map((r) => ({ id: r.id, text: r.text })),
    ...(facts.spec?.content.acceptance ?? []).map((a) => ({ id: a.id, text: a.text })),
    ...(facts.testSpec?.content.cases ?? []).map((c) => ({
      id: c.id,
      text: `${c.title}: ${c.expected}`,
    })),
    ...(facts.securitySpec?.content.items ?? []).map((s) => ({
      id: s.id,
      text: `${s.owasp} ${s.control}`,
    })),
  ]
  const judged = wanted.map((item): ChecklistItem => {
    const verdict = verdicts.get(item.id)
    const place = verdict?.file ? ` (${verdict.file}${verdict.line ? `:${verdict.line}` : ''})` : ''
    return {
      ...item,
      result: verdict?.result ?? 'unchecked',
      evidence: verdict ? `${verdict.evidence}${place}` : null,
      ...placeOf(verdict),
    }
  })
  const extra = [...verdicts.values()].filter((item) => !wanted.some((w) => w.id === item.ref))
  return [
    ...judged,
    ...extra.map(
      (item): ChecklistItem => ({
        id: item.ref,
        text: item.ref,
        result: item.result,
        evidence: item.evidence,
        ...placeOf(item),
      }),
    ),
    ...checks.map(
      (check): ChecklistItem => ({
        id: `check:${check.name}`,
        text: `${check.name}: ${check.command}`,
        result: check.notRun ? 'unchecked' : check.ok ? 'pass' : 'fail',
        evidence: check.output.slice(-2000) || endOfCheck(check),
      }),
    ),
  ]
}

async function insertReview(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  { input, facts, subject }: { input: OpenReviewInput; facts: GoalFacts; subject: Subject },
): Promise<string> {
  const { goalId, taskId, kind, attempt, stage } = input
  const byPolicy = subject.tier !== 'block'
  const [row] = await tx('reviews')
    .insert({
      ...identity(input),
      workflow_id: taskId ? taskWorkflowId(taskId) : goalWorkflowId(goalId),
      title: subject.title,
      reason: subject.reason,
      hash: subject.hash,
      tier: subject.tier,
      risk: subject.risk,
      base: subject.base ?? null,
      head: subject.head ?? null,
      tree: subject.tree ?? null,
      checklist: JSON.stringify(storable(subject.checklist ?? [])),
      files: JSON.stringify(subject.files ?? []),
      summary: subject.summary ?? null,
      deviations: JSON.stringify(subject.deviations ?? []),
      findings: JSON.stringify(storable(subject.findings ?? [])),
      second_opinion: subject.secondOpinion
        ? JSON.stringify(storable(subject.secondOpinion))
        : null,
      spec_id: subject.specId ?? null,
      budget_scope: subject.budgetScope ?? null,
      offered_tokens: subject.offeredTokens ?? null,
      ...(byPolicy ? approvedByPolicy(tx) : {}),
    })
    .onConflict(tx.raw('(goal_id, task_id, kind, attempt)') as never)
    .ignore()
    .returning(['id', 'number'])
  if (!row) return (await tx('reviews').where(identity(input)).first('id')).id
  const reviewId: string = row.id
  const stream = goalStream(goalId)
  emit({
    type: 'review.pending',
    stream,
    actor: 'dispatch',
    data: { goalId, taskId, reviewId, kind, tier: subject.tier, reason: subject.reason },
  })
  if (byPolicy) emit(reviewDecided('policy', { goalId, taskId, reviewId }, 'approve', null))
  if (subject.tier === 'notify') {
    const text = `${subject.title} went on without you: ${subject.reason}. Look at ${shortId('review', row.number)} when you like.`
    emit({ type: 'system.notice', stream, actor: 'dispatch', data: { level: 'info', text } })
  }
  if (taskId) {
    await tx('tasks')
      .where({ id: taskId })
      .update({
        status: byPolicy ? 'approved' : 'review',
        stage,
        ...(kind === 'task' ? { tier: subject.tier, blast_radius: subject.risk } : {}),
        updated_at: tx.fn.now(),
      })
    emit({
      type: 'task.status',
      stream,
      actor: 'dispatch',
      data: { goalId, taskId, status: byPolicy ? 'approved' : 'review', reason: subject.reason },
    })
  }
  const key = {
    goalId,
    taskId,
    stage,
    attempt: kind === 'spec' || kind === 'task' ? attempt : await newestAttempt(tx, input),
  }
  await openStage(tx, key, null)
  await changeStage(tx, emit, {
    key,
    change: { status: byPolicy ? 'passed' : 'review', reason: subject.reason },
  })
  await setGoal(tx, emit, {
    goalId,
    status: 'active',
    stage,
    reason: byPolicy ? facts.goal.reason : reviewWait(subject.title),
  })
  return reviewId
}

async function newestAttempt(tx: Tx, input: OpenReviewInput): Promise<number> {
  const row = await tx('stage_attempts')
    .where({ goal_id: input.goalId, task_id: input.taskId, stage: input.stage })
    .max({ n: 'attempt' })
    .first()
  return Number(row?.['n'] ?? 1) || 1
}

const SETTLED: Readonly<Record<Decision, StageStatus>> = {
  approve: 'passed',
  request_changes: 'changes_requested',
  reject: 'failed',
}

/** The stage that waited for this decision goes on, or ends. */
async function settleStage(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  review: { goal_id: string; task_id: string | null; kind: string; decision: Decision },
): Promise<void> {
  const waiting = await tx('stage_attempts').where({
    goal_id: review.goal_id,
    task_id: review.task_id,
    status: 'review',
  })
  const wanted = review.kind === 'spec' ? 'spec' : review.kind === 'task' ? 'review' : undefined
  for (const row of waiting) {
    if (wanted && row.stage !== wanted) continue
    const key = {
      goalId: review.goal_id,
      taskId: review.task_id,
      stage: row.stage,
      attempt: row.attempt,
    }
    const reason = review.decision === 'reject' ? 'rejected in review' : null
    const status = wanted ? SETTLED[review.decision] : 'waiting'
    await changeStage(tx, emit, { key, change: { status, reason } })
  }
  const goal = await tx('goals').where({ id: review.goal_id }).first('stage', 'status')
  if (goal.status === 'active')
    await setGoal(tx, emit, {
      goalId: review.goal_id,
      status: 'active',
      stage: goal.stage,
      reason: await waitedFor(tx, review.goal_id),
    })
}

/** A task that waited for this decision is approved or at work again. Rejected, it ends with its goal. */
async function settleTask(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  review: { goal_id: string; task_id: string | null; kind: string; decision: Decision },
): Promise<void> {
  const { goal_id: goalId, task_id: taskId, kind, decision } = review
  if (taskId === null || decision === 'reject') return
  const status = kind === 'task' && decision === 'approve' ? 'approved' : 'active'
  const waited = await tx('tasks')
    .where({ id: taskId, status: 'review' })
    .update({ status, updated_at: tx.fn.now() })
  if (waited === 0) return
  const data = { goalId, taskId, status, reason: null } as const
  emit({ type: 'task.status', stream: goalStream(goalId), actor: 'dispatch', data })
}

/** An approved spec becomes tasks, and what a person wants changed in the whole is one more. */
async function tasksOf(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  review: Parameters<typeof addRequestedTask>[2] & { kind: string; decision: Decision },
): Promise<NewTask[]> {
  if (review.kind === 'spec' && review.decision === 'approve')
    return createTasks(tx, emit, review.goal_id)
  if (review.kind === 'merge' && review.decision === 'request_changes')
    return addRequestedTask(tx, emit, review)
  return []
}

/** The tokens that the review offered, for the task or the goal; again, they are the same. */
async function grantTokens(
  tx: Tx,
  review: {
    goal_id: string
    task_id: string | null
    budget_scope: 'task' | 'goal' | null
    offered_tokens: number
  },
): Promise<void> {
  const { goal_id, task_id, offered_tokens } = review
  if (review.budget_scope === 'goal' || task_id === null)
    return grantToGoal(tx, goal_id, offered_tokens)
  await tx('tasks')
    .where({ id: task_id })
    .update({ token_budget: tx.raw('greatest(token_budget, ?::bigint)', [offered_tokens]) })
}

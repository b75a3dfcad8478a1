import { goalStream, goalWorkflowId, shortId } from '../contracts/ids.ts'
import type { AuditFinding, SpecOutput, SpecTask } from '../contracts/outputs.ts'
import type { ProfileSnapshot } from '../contracts/schemas.ts'
import type { Tx } from '../db/connect.ts'
import type { EmittedEvent } from '../db/events.ts'
import { latestSpec } from '../db/facts.ts'
import { approvedByPolicy, reviewDecided } from '../db/review-decided.ts'
import { changeStage } from '../db/stages.ts'
import type { NewTask } from './types.ts'

/** Makes the tasks of the approved spec; again, it answers the same tasks. */
export async function createTasks(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  goalId: string,
): Promise<NewTask[]> {
  const goal = await tx('goals').where({ id: goalId }).forUpdate().first()
  const existing = await listTasks(tx, goalId)
  if (existing.length > 0) return existing
  const spec = await latestSpec<SpecOutput>(tx, goalId, 'spec')
  if (spec?.status !== 'approved') throw new Error(`goal ${goalId} has no approved spec`)
  const ids = new Map<string, string>()
  for (const task of spec.content.tasks) ids.set(task.key, await insertTask(tx, emit, goal, task))
  for (const task of spec.content.tasks) {
    const needs = task.dependsOn.map((key) => ids.get(key) ?? '')
    await tx('tasks')
      .where({ id: ids.get(task.key) })
      .update({ depends_on: needs })
  }
  return listTasks(tx, goalId)
}

/** What a person wants changed in the whole before its merge, as a task more; again, it answers the same tasks. */
export async function addRequestedTask(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  review: { number: number; goal_id: string; comment: string | null; findings: AuditFinding[] },
): Promise<NewTask[]> {
  const goal = await tx('goals').where({ id: review.goal_id }).forUpdate().first()
  const name = shortId('review', review.number)
  const key = `changes-${name}`
  if (await tx('tasks').where({ goal_id: goal.id, key }).first('id')) return listTasks(tx, goal.id)
  const comment = review.comment?.trim() ?? ''
  const found = review.findings.map(
    ({ severity, title, detail, file }) =>
      `- ${severity}: ${title}${file ? ` (${file})` : ''}: ${detail}`,
  )
  await insertTask(tx, emit, goal, {
    key,
    title: comment.split('\n')[0]?.slice(0, 200) || `Changes requested in ${name}`,
    description: [
      `A person looked at the whole work before its merge and requested changes: ${comment || 'mend what was found.'}`,
      ...(found.length > 0 ? ['What was found in the whole:', ...found] : []),
    ].join('\n'),
    role: 'implement',
  })
  return listTasks(tx, goal.id)
}

async function insertTask(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  goal: { id: string; profile: ProfileSnapshot },
  task: Omit<SpecTask, 'dependsOn'>,
): Promise<string> {
  const [row] = await tx('tasks')
    .insert({
      goal_id: goal.id,
      key: task.key,
      title: task.title,
      description: task.description,
      role: task.role,
      token_budget: goal.profile.tokenBudget,
      agent: task.agent ? JSON.stringify(task.agent) : null,
    })
    .returning('id')
  const data = { goalId: goal.id, taskId: row.id, status: 'pending', reason: null } as const
  emit({ type: 'task.status', stream: goalStream(goal.id), actor: 'dispatch', data })
  return row.id
}

async function listTasks(tx: Tx, goalId: string): Promise<NewTask[]> {
  const rows = await tx('tasks').where({ goal_id: goalId }).orderBy('id')
  return rows.map((row) => ({
    taskId: row.id,
    title: row.title,
    role: row.role,
    dependsOn: row.depends_on,
    ...(row.agent ? { adapter: row.agent.adapter } : {}),
  }))
}

/** Spec review is switched off: the approval is the policy's, and is recorded like a person's. */
export async function recordPolicyApproval(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  goalId: string,
): Promise<void> {
  const spec = await latestSpec<SpecOutput>(tx, goalId, 'spec')
  if (!spec) throw new Error(`goal ${goalId} has no spec`)
  await tx('specs').where({ id: spec.id }).update({ status: 'approved' })
  const goal = await tx('goals').where({ id: goalId }).first('number', 'title')
  const inserted = await tx('reviews')
    .insert({
      kind: 'spec',
      goal_id: goalId,
      workflow_id: goalWorkflowId(goalId),
      attempt: spec.version,
      title: `Spec of ${shortId('goal', goal.number)}: ${goal.title}`,
      reason: 'spec review is switched off for this goal',
      hash: spec.hash,
      tier: 'auto',
      risk: 'low',
      spec_id: spec.id,
      ...approvedByPolicy(tx),
    })
    .onConflict(tx.raw('(goal_id, task_id, kind, attempt)') as never)
    .ignore()
    .returning('id')
  const attempt = await tx('stage_attempts')
    .where({ goal_id: goalId, task_id: null, stage: 'spec' })
    .max({ n: 'attempt' })
    .first()
  const key = { goalId, taskId: null, stage: 'spec', attempt: Number(attempt?.['n'] ?? 1) } as const
  await changeStage(tx, emit, { key, change: { status: 'passed', reason: null } })
  if (!inserted[0]) return
  const review = { goalId, taskId: null, reviewId: inserted[0].id }
  emit(reviewDecided('policy', review, 'approve', null))
}

import { goalStream, goalWorkflowId, shortId } from '../contracts/ids.ts'
import type { SpecOutput } from '../contracts/outputs.ts'
import type { Tx } from '../db/connect.ts'
import type { EmittedEvent } from '../db/events.ts'
import { latestSpec } from '../db/facts.ts'
import { reviewDecided } from '../db/review-decided.ts'
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
  for (const task of spec.content.tasks) {
    const [row] = await tx('tasks')
      .insert({
        goal_id: goalId,
        key: task.key,
        title: task.title,
        description: task.description,
        role: task.role,
        token_budget: goal.profile.tokenBudget,
        agent: task.agent ? JSON.stringify(task.agent) : null,
      })
      .returning('id')
    ids.set(task.key, row.id)
    const data = { goalId, taskId: row.id, status: 'pending', reason: null } as const
    emit({ type: 'task.status', stream: goalStream(goalId), actor: 'dispatch', data })
  }
  for (const task of spec.content.tasks) {
    const needs = task.dependsOn.map((key) => ids.get(key) ?? '')
    await tx('tasks')
      .where({ id: ids.get(task.key) })
      .update({ depends_on: needs })
  }
  return listTasks(tx, goalId)
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
      status: 'approved',
      decision: 'approve',
      decided_by: 'policy',
      via: 'policy',
      decided_at: tx.fn.now(),
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

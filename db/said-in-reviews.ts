import type { Knex } from 'knex'
import { shortId } from '../contracts/ids.ts'
import type { ReviewKind, Stage } from '../contracts/stages.ts'
import type { StageKey } from './stages.ts'

/** What a person said in a review, for the agents that work on after it. */
export interface SaidInReview {
  review: string
  /** With which approval it was said, in words; null where changes were requested. */
  approval: string | null
  comment: string
}

interface SaidRow {
  number: number
  kind: ReviewKind
  decision: 'request_changes' | 'approve'
  comment: string
  task_number: number | null
  task_title: string | null
}

/** The reviews that a stage of the whole goal is answered by. */
const REVIEWED_IN: Partial<Record<Stage, ReviewKind>> = { spec: 'spec', audit: 'merge' }

/**
 * Everything that people requested in the reviews of this work, and remarked when they granted it tokens or approved anything of its
 * goal, oldest first.
 */
export async function saidInReviews(knex: Knex, key: StageKey): Promise<SaidInReview[]> {
  const kind = key.taskId === null ? REVIEWED_IN[key.stage] : 'task'
  const ofThisWork = { 'v.task_id': key.taskId }
  const rows: SaidRow[] = await knex('reviews as v')
    .leftJoin('tasks as t', 't.id', 'v.task_id')
    .where({ 'v.goal_id': key.goalId })
    .where((said) =>
      said
        .where({ ...ofThisWork, kind: kind ?? null, decision: 'request_changes' })
        .orWhere({ ...ofThisWork, kind: 'budget', decision: 'approve' })
        .orWhere((approved) =>
          approved.where({ decision: 'approve' }).whereNot({ kind: 'budget' }),
        ),
    )
    .whereRaw(`trim(v.comment) <> ''`)
    .orderBy('v.decided_at')
    .select('v.number', 'v.kind', 'v.decision', 'v.comment')
    .select({ task_number: 't.number', task_title: 't.title' })
  return rows.map((row) => ({
    review: shortId('review', row.number),
    approval: row.decision === 'approve' ? approvalOf(row) : null,
    comment: row.comment,
  }))
}

function approvalOf({ kind, task_number, task_title }: SaidRow): string {
  if (kind === 'budget') return 'tokens granted'
  const task = task_number === null ? '' : `${shortId('task', task_number)}, ${task_title}`
  return `approving ${task || `the ${kind}`}`
}

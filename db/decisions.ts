import type { Knex } from 'knex'
import { shortId } from '../contracts/ids.ts'
import { REVIEW_DECIDED } from '../contracts/messages.ts'
import type { SpecOutput } from '../contracts/outputs.ts'
import type { ChecklistItem } from '../contracts/schemas.ts'
import {
  type Decision,
  decisionsOf,
  type ReviewKind,
  type ReviewStatus,
  type Tier,
} from '../contracts/stages.ts'
import { refuseTaskAgent } from './adapters.ts'
import type { Tx } from './connect.ts'
import { contentHash } from './content-hash.ts'
import type { EmittedEvent } from './events.ts'
import { enqueue } from './outbox.ts'
import { type Refusal, refuse } from './refusal.ts'
import { reviewDecided } from './review-decided.ts'
import type { SpecRow } from './views/specs.ts'

export interface DecisionInput {
  reviewId: string
  decision: Decision
  /** The hash that the person's page was rendered from. */
  hash: string
  comment?: string | undefined
  /** Ids of the checklist items that were checked. */
  checklist?: readonly string[] | undefined
  edits?: SpecOutput | undefined
  via: string
  actor: string
}

interface ReviewRow {
  id: string
  number: number
  kind: ReviewKind
  goal_id: string
  task_id: string | null
  workflow_id: string
  hash: string
  tier: Tier
  status: ReviewStatus
  checklist: ChecklistItem[]
  spec_id: string | null
  decision: Decision | null
  decided_by: string | null
  decided_at: string | null
  via: string | null
  comment: string | null
}

const STATUS: Readonly<Record<Decision, ReviewStatus>> = {
  approve: 'approved',
  reject: 'rejected',
  request_changes: 'changes_requested',
}

/**
 * THE arbiter of every human decision. The review's row is locked, so of any number of people who decide at once one
 * is first; the same person's same decision again is no error, and every other is told who was first. What was approved
 * is what was seen: a hash that is not the review's is refused. Returns undefined when the decision stands.
 */
export async function decideReview(
  tx: Tx,
  emit: (event: EmittedEvent) => void,
  input: DecisionInput,
): Promise<Refusal | undefined> {
  const review: ReviewRow = await tx('reviews').where({ id: input.reviewId }).forUpdate().first()
  if (review.status !== 'pending') return settled(tx, review, input)
  const objection =
    staleHash(review, input) ??
    nothingToChange(review, input) ??
    (await editsRefused(tx, review, input)) ??
    unchecked(review, input)
  if (objection) return objection
  await tx('reviews')
    .where({ id: review.id })
    .update({
      status: STATUS[input.decision],
      decision: input.decision,
      decided_by: input.actor,
      via: input.via,
      comment: input.comment ?? null,
      checked: JSON.stringify(input.checklist ?? []),
      decided_at: tx.fn.now(),
    })
  if (review.kind === 'spec' && input.decision === 'approve') await approveSpec(tx, review, input)
  const at = { goalId: review.goal_id, taskId: review.task_id, reviewId: review.id }
  emit(reviewDecided(input.actor, at, input.decision, input.comment ?? null))
  await enqueue(tx, {
    kind: 'signal',
    workflowId: review.workflow_id,
    payload: { signal: REVIEW_DECIDED, args: { reviewId: review.id } },
  })
  return undefined
}

/** The review is decided already: fine when this person said just this of this content, else who was first. */
async function settled(
  tx: Tx,
  review: ReviewRow,
  input: DecisionInput,
): Promise<Refusal | undefined> {
  if (await isRepeated(tx, review, input)) return undefined
  const name = shortId('review', review.number)
  if (review.decision === null)
    return refuse('superseded', `${name} is void: its goal ended before anybody decided.`, {
      current: { status: review.status, hash: review.hash },
    })
  const who = (review.decided_by ?? 'somebody').replace(/^person:/, '')
  return refuse(
    'already_decided',
    `${name} was already decided: ${STATUS[review.decision].replace('_', ' ')} by ${who} at ${review.decided_at}.`,
    {
      current: {
        status: review.status,
        decision: review.decision,
        decidedBy: review.decided_by,
        decidedAt: review.decided_at,
        via: review.via,
        comment: review.comment,
        hash: review.hash,
      },
    },
  )
}

/** What was decided is all there is of it, so anything said besides, edits above all, would be lost unseen. */
async function isRepeated(tx: Tx, review: ReviewRow, input: DecisionInput): Promise<boolean> {
  if (review.decision !== input.decision || review.hash !== input.hash) return false
  if (review.decided_by !== input.actor || review.comment !== (input.comment ?? null)) return false
  const edits = input.edits === undefined ? undefined : contentHash(input.edits)
  return edits === (await approvedEdit(tx, review))?.hash
}

/** The spec that the decider put in the reviewed one's place; undefined when it was approved as it was, or not at all. */
export async function approvedEdit(
  knex: Knex,
  review: Pick<ReviewRow, 'goal_id' | 'spec_id' | 'decided_by'>,
): Promise<(SpecRow & { content: SpecOutput }) | undefined> {
  if (review.spec_id === null || review.decided_by === null) return undefined
  const seen = await knex('specs').where({ id: review.spec_id }).first('version')
  const next = await knex('specs')
    .where({ goal_id: review.goal_id, role: 'spec' })
    .where('version', '>', seen.version)
    .orderBy('version')
    .first()
  return next?.created_by === review.decided_by ? next : undefined
}

function staleHash(review: ReviewRow, input: DecisionInput): Refusal | undefined {
  if (review.hash === input.hash) return undefined
  return refuse('stale_hash', `${shortId('review', review.number)} changed since you saw it.`, {
    advice: 'Look at it again, then decide.',
    current: { hash: review.hash },
  })
}

function nothingToChange(review: ReviewRow, { decision }: DecisionInput): Refusal | undefined {
  if (decisionsOf(review.kind).includes(decision)) return undefined
  const name = shortId('review', review.number)
  return refuse('wrong_state', `${name} asks for more tokens: there is no work to change in it.`, {
    advice: 'Approve to grant more, with a comment for the agent if you like, or reject.',
  })
}

async function editsRefused(
  tx: Tx,
  review: ReviewRow,
  { edits, decision }: DecisionInput,
): Promise<Refusal | undefined> {
  if (edits === undefined) return undefined
  if (review.kind === 'spec' && decision === 'approve')
    return refuseTaskAgent(
      tx,
      edits.tasks.map(({ agent }) => agent),
    )
  return refuse('edits_not_allowed', 'Only an approval of a spec may carry an edited spec.', {
    advice: 'Leave `edits` out, or say in a comment what should change.',
  })
}

function unchecked(review: ReviewRow, input: DecisionInput): Refusal | undefined {
  if (review.tier !== 'block' || input.decision !== 'approve') return undefined
  const checked = new Set(input.checklist ?? [])
  const missing = review.checklist.filter((item) => !checked.has(item.id))
  if (missing.length === 0) return undefined
  return refuse(
    'checklist_incomplete',
    `${missing.length} of ${review.checklist.length} checklist items are not checked.`,
    { advice: 'Check every item, then approve.', current: { missing } },
  )
}

/** Marks the spec as approved; with edits, a new version that the person made takes its place. */
async function approveSpec(tx: Tx, review: ReviewRow, input: DecisionInput): Promise<void> {
  if (input.edits === undefined) {
    await tx('specs').where({ id: review.spec_id }).update({ status: 'approved' })
    return
  }
  // one reviewer at a time holds the goal's specs, so max + 1 is free
  await tx('goals').where({ id: review.goal_id }).forUpdate().first('id')
  const specs = () => tx('specs').where({ goal_id: review.goal_id, role: 'spec' })
  const latest = await specs().max({ version: 'version' }).first()
  await specs().update({ status: 'superseded' })
  await tx('specs').insert({
    goal_id: review.goal_id,
    role: 'spec',
    version: Number(latest?.['version'] ?? 0) + 1,
    status: 'approved',
    content: JSON.stringify(input.edits),
    hash: contentHash(input.edits),
    created_by: input.actor,
  })
}

/** The review that a decision about a task is about: the pending one, else the last. Undefined when there was none. */
export async function reviewOfTask(tx: Tx, taskId: string): Promise<string | undefined> {
  const row = await tx('reviews')
    .where({ task_id: taskId, kind: 'task' })
    .orderByRaw(`(status = 'pending') desc, number desc`)
    .first('id')
  return row?.id
}

import { randomUUID } from 'node:crypto'
import { actorName, formatUtc, reviewWait } from '../contracts/figures.ts'
import { goalStream, goalWorkflowId, shortId } from '../contracts/ids.ts'
import { CANCEL_GOAL, RETRY_STAGE, SET_PAUSED, type SignalName } from '../contracts/messages.ts'
import type { ProfileSnapshot } from '../contracts/schemas.ts'
import { type GoalStatus, OVER_STATUSES, type Stage } from '../contracts/stages.ts'
import type { Tx } from './connect.ts'
import { forgetDelays } from './delays.ts'
import type { EmittedEvent } from './events.ts'
import { type Assign, changeProfile, keepProfile } from './goal-profile.ts'
import { enqueue } from './outbox.ts'
import { isRefusal, type Refusal, refuse } from './refusal.ts'
import { reviewDecided } from './review-decided.ts'
import { readSettings } from './settings.ts'

type Emit = (event: EmittedEvent) => void

export interface NewGoal {
  projectId: string
  title?: string | undefined
  description: string
  /** Absent means the project's, else `Default`. */
  profileId?: string | undefined
  targetBranch: string
  /** Of each task; absent means the setting's. */
  tokenBudget?: number | undefined
  /** Of the goal as a whole; absent means the setting's. */
  goalBudget?: number | undefined
  skipSpecReview?: boolean | undefined
  /** Absent where no profile says `auto`. */
  assign?: Assign
  actor: string
}

/** Files a goal: the row, its first event and the message that starts its workflow, all or nothing. */
export async function createGoal(
  tx: Tx,
  emit: Emit,
  input: NewGoal,
): Promise<{ id: string } | Refusal> {
  // a shared lock: the project cannot be removed while its goal is being filed
  const project = await tx('projects').where({ id: input.projectId }).forShare().first()
  if (project.removed_at)
    return refuse('not_found', 'That project was removed.', { advice: 'Register it again.' })
  if (!project.trusted)
    return refuse('not_trusted', `The project ${project.name} is not trusted yet.`, {
      advice: `Look at it, then trust it: dispatch projects trust ${shortId('project', project.number)}`,
    })
  const profile = await snapshot(tx, input.profileId ?? project.profile_id, input)
  if (isRefusal(profile)) return profile
  // lists show it in a line, and a commit begins with it
  const title = input.title?.replace(/\s+/g, ' ').trim() || titleOf(input.description)
  const [goal] = await tx('goals')
    .insert({
      project_id: project.id,
      title,
      description: input.description,
      profile: JSON.stringify(profile),
      target_branch: input.targetBranch,
      token_budget: input.goalBudget ?? (await readSettings(tx)).goalBudget,
    })
    .returning('id')
  const goalId: string = goal.id
  emit({
    type: 'goal.created',
    stream: goalStream(goalId),
    actor: input.actor,
    data: { goalId, title },
  })
  await enqueue(tx, {
    kind: 'start_goal',
    workflowId: goalWorkflowId(goalId),
    payload: { goalId, title, projectId: project.id },
  })
  return { id: goalId }
}

/** What the goal keeps of its profile and the settings. */
async function snapshot(
  tx: Tx,
  profileId: string | null,
  input: NewGoal,
): Promise<ProfileSnapshot | Refusal> {
  const profile = await keepProfile(tx, profileId, input.assign)
  if (isRefusal(profile)) return profile
  const settings = await readSettings(tx)
  return {
    ...profile,
    skipSpecReview: input.skipSpecReview ?? settings.skipSpecReview,
    tokenBudget: input.tokenBudget ?? settings.tokenBudget,
    maxVerifyRounds: settings.maxVerifyRounds,
  }
}

/** The first line with something in it, at most 80 characters (whole ones: no half emoji). */
function titleOf(description: string): string {
  const line = description.split('\n').find((one) => one.trim() !== '') ?? description
  const letters = [...new Intl.Segmenter().segment(line.trim())].map((part) => part.segment)
  return letters.length <= 80 ? letters.join('') : `${letters.slice(0, 79).join('')}…`
}

interface GoalRow {
  id: string
  number: number
  status: GoalStatus
  stage: Stage
  reason: string | null
  paused: boolean
  /** A person cancelled it, or rejected its work; its workflow is ending everything. */
  ending: boolean
  /** What needs a person, by task and stage. */
  attention: Record<string, string>
}

interface Actor {
  id: string
  actor: string
}

/** A person lets a goal go on, by the agents of another profile if one is given. */
interface GoingOn extends Actor {
  profile?: { id: string; assign: Assign } | undefined
}

const lockGoal = (tx: Tx, id: string): Promise<GoalRow> =>
  tx('goals').where({ id }).forUpdate().first()

/** Interrupts the goal's agents and keeps their sessions. Nothing happens when it is paused already. */
export async function pauseGoal(
  tx: Tx,
  emit: Emit,
  { id, actor }: Actor,
): Promise<Refusal | undefined> {
  const goal = await lockGoal(tx, id)
  if (OVER_STATUSES.includes(goal.status)) return isOver(goal, 'paused')
  if (goal.paused) return undefined
  if (goal.ending)
    return refuse('wrong_state', `${name(goal)} is ending: there is nothing to pause.`, {
      current: { status: goal.status },
    })
  // a goal that needs attention goes on saying so: pausing it answers nothing
  const status = goal.status === 'active' ? 'paused' : goal.status
  const since = formatUtc(new Date())
  const reason = status === 'paused' ? `paused by ${actorName(actor)} since ${since}` : goal.reason
  await setStatus(tx, emit, { goal, status, reason, paused: true, actor })
  await tell(tx, id, SET_PAUSED, { paused: true })
  return undefined
}

/** Goes on in the same sessions, or with another profile. Nothing happens when it is not paused. */
export async function resumeGoal(
  tx: Tx,
  emit: Emit,
  { id, actor, profile }: GoingOn,
): Promise<Refusal | undefined> {
  const goal = await lockGoal(tx, id)
  if (OVER_STATUSES.includes(goal.status)) return isOver(goal, 'resumed')
  const refusal = await goOnWith(tx, emit, { id, actor, profile })
  if (refusal) return refusal
  if (!goal.paused) return undefined
  // something may have failed while the goal was paused: then it is that which it waits for now
  const [needed] = Object.values(goal.attention)
  const status = needed === undefined ? 'active' : 'needs_attention'
  const reason = needed ?? (goal.ending ? goal.reason : await waitedFor(tx, id))
  await setStatus(tx, emit, { goal, status, reason, paused: false, actor })
  await tell(tx, id, SET_PAUSED, { paused: false })
  return undefined
}

/**
 * Asks the workflow to end everything and keep the branch; the goal is `cancelled` once that is done. From now on its
 * pending reviews are void, so nothing can be approved meanwhile. Nothing happens when it was asked before.
 */
export async function cancelGoal(
  tx: Tx,
  emit: Emit,
  input: Actor & { reason?: string | undefined },
): Promise<Refusal | undefined> {
  const goal = await lockGoal(tx, input.id)
  if (goal.status === 'cancelled') return undefined
  if (OVER_STATUSES.includes(goal.status)) return isOver(goal, 'cancelled')
  if (goal.ending) return endAgain(tx, emit, { goal, actor: input.actor })
  const reason = input.reason ?? `cancelled by ${actorName(input.actor)}`
  await beginEnding(tx, emit, { id: goal.id, reason, actor: input.actor })
  await tell(tx, goal.id, CANCEL_GOAL, { reason })
  return undefined
}

/**
 * From now on the goal is one that is ending: nothing of it can be approved, and what needed a person before needs nobody any more.
 * Again, it does nothing.
 */
export async function beginEnding(
  tx: Tx,
  emit: Emit,
  { id, reason, actor }: Actor & { reason: string },
): Promise<void> {
  const goal = await lockGoal(tx, id)
  if (goal.ending) return
  await tx('goals').where({ id }).update({ ending: true, attention: '{}' })
  await endingAs(tx, emit, { goal, actor, reason })
  await voidReviews(tx, emit, { goalId: id, actor, reason })
}

/** Asked before: where the ending itself could not go on, it is tried again. */
async function endAgain(
  tx: Tx,
  emit: Emit,
  { goal, actor }: { goal: GoalRow; actor: string },
): Promise<undefined> {
  if (goal.status === 'needs_attention') {
    await tx('goals').where({ id: goal.id }).update({ attention: '{}' })
    await endingAs(tx, emit, { goal, actor, reason: `asked again by ${actorName(actor)}` })
  }
  await tell(tx, goal.id, RETRY_STAGE, { key: randomUUID() })
}

async function endingAs(
  tx: Tx,
  emit: Emit,
  { goal, reason, actor }: { goal: GoalRow; reason: string; actor: string },
): Promise<void> {
  const status = goal.paused ? 'paused' : 'active'
  const { paused } = goal
  await setStatus(tx, emit, { goal, status, paused, reason: `ending: ${reason}`, actor })
}

/** Nobody can decide the goal's pending reviews any more. */
export async function voidReviews(
  tx: Tx,
  emit: Emit,
  { goalId, actor, reason }: { goalId: string; actor: string; reason: string },
): Promise<void> {
  const reviews = await tx('reviews')
    .where({ goal_id: goalId, status: 'pending' })
    .update({ status: 'superseded', decided_at: tx.fn.now() })
    .returning(['id', 'task_id'])
  for (const { id: reviewId, task_id: taskId } of reviews)
    emit(reviewDecided(actor, { goalId, taskId, reviewId }, 'superseded', reason))
}

/** Tries again what failed, or what waits for a provider, if wanted with another profile. Harmless where nothing does. */
export async function retryGoal(
  tx: Tx,
  emit: Emit,
  { id, actor, profile }: GoingOn,
): Promise<Refusal | undefined> {
  const goal = await lockGoal(tx, id)
  if (goal.status !== 'needs_attention' && goal.status !== 'active')
    return refuse(
      'wrong_state',
      `${name(goal)} is ${goal.status}: there is nothing to try again.`,
      {
        advice: goal.status === 'paused' ? 'Resume it.' : 'File a new goal.',
        current: { status: goal.status },
      },
    )
  if (goal.ending) return endAgain(tx, emit, { goal, actor })
  const refusal = await goOnWith(tx, emit, { id, actor, profile })
  if (refusal) return refusal
  const status = goal.paused ? 'paused' : 'active'
  if (goal.status === 'needs_attention') {
    await tx('goals').where({ id: goal.id }).update({ attention: '{}' })
    const reason = await waitedFor(tx, id)
    await setStatus(tx, emit, { goal, status, reason, paused: goal.paused, actor })
  }
  await tell(tx, id, RETRY_STAGE, { key: randomUUID() })
  return undefined
}

/** In words, a review of the goal that nobody has decided: that it goes on does not end that wait. */
export async function waitedFor(tx: Tx, goalId: string): Promise<string | null> {
  const where = { goal_id: goalId, status: 'pending' }
  const review = await tx('reviews').where(where).first('title')
  return review ? reviewWait(review.title) : null
}

async function goOnWith(
  tx: Tx,
  emit: Emit,
  { id: goalId, actor, profile }: GoingOn,
): Promise<Refusal | undefined> {
  if (!profile) return undefined
  return changeProfile(tx, emit, { goalId, profileId: profile.id, assign: profile.assign, actor })
}

async function setStatus(
  tx: Tx,
  emit: Emit,
  to: {
    goal: GoalRow
    status: GoalStatus
    reason: string | null
    paused: boolean
    actor: string
  },
): Promise<void> {
  const { goal, status, reason, paused } = to
  await tx('goals')
    .where({ id: goal.id })
    .update({ status, reason, paused, updated_at: tx.fn.now() })
  await forgetDelays(tx, goal.id)
  emit({
    type: 'goal.status',
    stream: goalStream(goal.id),
    actor: to.actor,
    data: { goalId: goal.id, status, stage: goal.stage, reason },
  })
}

const tell = (tx: Tx, goalId: string, signal: SignalName, args: unknown) =>
  enqueue(tx, { kind: 'signal', workflowId: goalWorkflowId(goalId), payload: { signal, args } })

const isOver = (goal: GoalRow, verb: string) =>
  refuse('wrong_state', `${name(goal)} is ${goal.status} and cannot be ${verb}.`, {
    current: { status: goal.status },
  })

const name = (goal: GoalRow) => shortId('goal', goal.number)

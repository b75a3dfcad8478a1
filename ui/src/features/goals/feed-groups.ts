import type { StoredEvent } from '../../../../contracts/events.ts'
import { formatUsedTokens, hasUsed, usedByRun } from '../../../../contracts/figures.ts'
import { STAGE_TITLES, type Stage } from '../../../../contracts/stages.ts'
import { lookOf, type Status } from '../../components/status-icon.tsx'
import { plural } from '../../lib/format.ts'
import { CORRECTION_STATES } from '../agents/correction-states.ts'

/** One act of the feed: an attempt of a stage with all that happened in it, or a single thing that happened. */
export interface FeedAct {
  key: string
  at: string
  status: Status | undefined
  title: string
  detail: string | null
  taskId: string | null
  /** Runs of the act, the last is the newest. */
  runIds: string[]
  reviewId: string | undefined
  lines: { at: string; text: string; actor: string }[]
}

type StageEvent = Extract<StoredEvent, { type: 'stage.status' }>

/**
 * Events folded into acts, in the order in which the acts began. What a run or a check reports belongs to the attempt of
 * the stage that was open for the same task.
 */
export function foldFeed(events: readonly StoredEvent[]): FeedAct[] {
  const fold: Fold = { acts: [], open: new Map(), begun: new Map() }
  for (const event of events) {
    if (event.type === 'stage.status') updateStage(actOf(event, fold), event)
    else if (!belongs(event, fold)) addSingle(event, fold)
  }
  return fold.acts.filter(isTold)
}

/** Stages that were not needed stand in the strip; the stage "review" is told by its review, unless it failed. */
const isTold = ({ status, runIds, key }: FeedAct) =>
  !(status === 'skipped' && runIds.length === 0) &&
  !(key.startsWith('review/') && status !== 'failed')

interface Fold {
  acts: FeedAct[]
  /** The attempt at work, by stage and task. */
  open: Map<string, FeedAct>
  /** By review and correction: what becomes of it is told where it began. */
  begun: Map<string, FeedAct>
}

const place = (stage: Stage, taskId: string | null) => `${stage}/${taskId ?? ''}`

/** The key of the act that tells of an attempt of a stage. */
export const keyOfAttempt = (of: {
  stage: Stage
  taskId: string | null
  attempt: number
}): string => `${place(of.stage, of.taskId)}/${of.attempt}`

function actOf(event: StageEvent, { acts, open }: Fold): FeedAct {
  const { stage, taskId, attempt } = event.data
  const key = keyOfAttempt(event.data)
  const known = open.get(place(stage, taskId))
  if (known?.key === key) return known
  const act: FeedAct = {
    ...newAct(event, STAGE_TITLES[stage] + (attempt > 1 ? `, attempt ${attempt}` : '')),
    key,
    taskId,
  }
  acts.push(act)
  open.set(place(stage, taskId), act)
  return act
}

function updateStage(act: FeedAct, event: StageEvent): void {
  const { status, reason } = event.data
  act.status = status
  act.detail = status === 'review' ? null : reason // the review stands below with its reason
  act.lines.push(line(event, lookOf(status).word + (reason ? `: ${reason}` : '')))
}

function belongs(event: StoredEvent, { open, begun }: Fold): boolean {
  if (event.type === 'run.status') return tellRun(event, open)
  if (event.type === 'review.decided') return tellDecision(event, begun)
  if (event.type === 'correction.status') return tellCorrection(event, begun)
  const text = ofStage(event)
  const act = text && open.get(place(text.stage, text.taskId))
  if (!act) return false
  act.lines.push(line(event, text.text))
  return true
}

function tellRun(
  event: Extract<StoredEvent, { type: 'run.status' }>,
  open: ReadonlyMap<string, FeedAct>,
): boolean {
  const { runId, stage, taskId, status, detail, reason } = event.data
  const act = open.get(place(stage, taskId))
  if (!act) return false
  if (!act.runIds.includes(runId)) act.runIds.push(runId)
  const used = usedByRun(event.data)
  const why = detail ?? reason
  const spent = hasUsed(used) ? `, ${formatUsedTokens(used)} tokens` : ''
  const said = `Agent ${lookOf(status).word.toLowerCase()}${spent}${why ? `: ${why}` : ''}`
  act.lines.push(line(event, said))
  return true
}

function tellDecision(
  event: Extract<StoredEvent, { type: 'review.decided' }>,
  begun: ReadonlyMap<string, FeedAct>,
): boolean {
  const { reviewId, decision, comment } = event.data
  const act = begun.get(reviewId)
  if (!act) return false
  act.lines.push(line(event, by(DECIDED[decision].title, event)))
  act.status = DECIDED[decision].status
  act.detail = comment ?? by(DECIDED[decision].title.toLowerCase(), event)
  return true
}

function tellCorrection(
  event: Extract<StoredEvent, { type: 'correction.status' }>,
  begun: ReadonlyMap<string, FeedAct>,
): boolean {
  const { correctionId, state, note } = event.data
  const act = begun.get(correctionId)
  if (!act) return false
  act.status = CORRECTED[state]
  act.lines.push(line(event, [CORRECTION_STATES[state].word, note].filter(Boolean).join(': ')))
  return true
}

const CORRECTED = {
  queued: 'pending',
  delivered: 'running',
  applied: 'done',
  expired: 'cancelled',
} as const

/** Events that tell of a stage without being its own. */
function ofStage(event: StoredEvent): { stage: Stage; taskId: string; text: string } | undefined {
  switch (event.type) {
    case 'task.files': {
      const { taskId, files, head } = event.data
      const text = `${plural(files.length, 'file')} changed, now at ${head.slice(0, 8)}`
      return { stage: 'implement', taskId, text }
    }
    case 'task.deviation':
      return { stage: 'implement', taskId: event.data.taskId, text: `Deviates: ${event.data.text}` }
    case 'task.verified': {
      const { taskId, pass, warn, fail } = event.data
      return { stage: 'verify', taskId, text: `${pass} pass, ${warn} warn, ${fail} fail` }
    }
    default:
      return undefined
  }
}

function addSingle(event: StoredEvent, { acts, begun }: Fold): void {
  const said = single(event)
  if (!said) return
  const act = { ...newAct(event, said.title), ...said, key: `event/${event.feedSeq}` }
  acts.push(act)
  if (event.type === 'correction.status') {
    begun.set(event.data.correctionId, act)
    tellCorrection(event, begun)
  }
  if (event.type !== 'review.pending') return
  begun.set(event.data.reviewId, act)
  act.lines.push(line(event, event.data.reason))
}

type Said = Pick<FeedAct, 'title' | 'status'> & Partial<FeedAct>

/** Undefined for what the acts of the stages tell already. */
function single(event: StoredEvent): Said | undefined {
  switch (event.type) {
    case 'goal.created':
      return { title: 'Goal filed', status: 'pending', detail: `by ${nameOf(event.actor)}` }
    case 'goal.status':
      return goalSaid(event)
    case 'goal.profile': {
      const by = `by ${nameOf(event.actor)}`
      return { title: `Profile ${event.data.profile}`, status: 'done', detail: by }
    }
    case 'task.status':
      return undefined
    case 'review.pending': {
      const { kind, tier, reason, reviewId, taskId } = event.data
      const status = tier === 'block' ? 'review' : 'approved'
      return { title: REVIEWED[kind], status, detail: reason, reviewId, taskId }
    }
    case 'review.decided': {
      const { decision, comment, reviewId, taskId } = event.data
      const { title, status } = DECIDED[decision]
      const detail = [by(title.toLowerCase(), event), comment].filter(Boolean).join(': ')
      return { title: 'Review', status, detail, reviewId, taskId }
    }
    case 'goal.merged':
      return {
        title: `Merged into ${event.data.target}`,
        status: 'completed',
        detail: event.data.commit.slice(0, 12),
      }
    case 'goal.salvaged':
      return {
        ...{ title: 'Work saved that was nowhere else', status: 'done' },
        detail: `git fetch ${event.data.repository} ${event.data.ref}`,
      }
    case 'correction.status':
      return {
        ...{ title: 'Correction', status: undefined, detail: event.data.text },
        ...{ taskId: event.data.taskId, runIds: [event.data.runId] },
      }
    case 'task.files':
    case 'task.deviation':
    case 'task.verified':
    case 'run.status':
    case 'stage.status':
    case 'pool.status':
    case 'project.changed':
    case 'suggestion.changed':
    case 'settings.changed':
      return undefined
    case 'system.notice':
      return { title: 'Look at this', status: 'needs_attention', detail: event.data.text }
    default:
      return unknownEvent(event)
  }
}

/** That a goal goes on is only told where a person made it. */
function goalSaid(event: Extract<StoredEvent, { type: 'goal.status' }>): Said | undefined {
  const { status, reason } = event.data
  if (status === 'completed') return undefined // the merge says it
  if (status !== 'active')
    return { title: `Goal ${lookOf(status).word.toLowerCase()}`, status, detail: reason }
  if (!event.actor.startsWith('person:') || reason !== null) return undefined
  return { title: 'Goal goes on', status: 'done', detail: `by ${nameOf(event.actor)}` }
}

/** What a review is called where it is told of. */
export const REVIEWED = {
  spec: 'Spec review',
  task: 'Task review',
  merge: 'Merge review',
  budget: 'Budget review',
} as const

const DECIDED = {
  approve: { title: 'Approved', status: 'approved' },
  reject: { title: 'Rejected', status: 'rejected' },
  request_changes: { title: 'Changes requested', status: 'changes_requested' },
  superseded: { title: 'Review no longer needed', status: 'superseded' },
} as const

/** A newer server may send what this page does not know yet. */
const unknownEvent = (_event: never): undefined => undefined

const newAct = (event: StoredEvent, title: string): FeedAct => ({
  ...{ key: '', at: event.at, status: undefined, title, detail: null },
  ...{
    taskId: null,
    runIds: [],
    reviewId: undefined,
    lines: [],
  },
})

/** `person:Ada` is Ada. */
const nameOf = (actor: string) => actor.replace(/^(person|agent):/, '')

const by = (what: string, { actor }: StoredEvent) => `${what} by ${nameOf(actor)}`

const line = ({ at, actor }: StoredEvent, text: string) => ({ at, actor, text })

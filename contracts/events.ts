/** The one log of what happened. Each event is appended in the transaction that changes the state it tells of. */
import { z } from 'zod'
import { CORRECTION_FATES, FAILURE_REASONS } from './agent.ts'
import {
  DECISIONS,
  GOAL_STATUSES,
  REVIEW_KINDS,
  STAGE_STATUSES,
  STAGES,
  TASK_STATUSES,
  TIERS,
} from './stages.ts'

const of = <T extends string, S extends z.ZodRawShape>(type: T, data: S) =>
  z.object({ type: z.literal(type), data: z.object(data) })
const goalId = z.string()
const taskId = z.string().nullable()
const reason = z.string().nullable()

export const eventBody = z.discriminatedUnion('type', [
  of('goal.created', { goalId, title: z.string() }),
  of('goal.status', { goalId, status: z.enum(GOAL_STATUSES), stage: z.enum(STAGES), reason }),
  of('goal.profile', { goalId, profile: z.string() }),
  of('stage.status', {
    goalId,
    taskId,
    stage: z.enum(STAGES),
    attempt: z.number(),
    status: z.enum(STAGE_STATUSES),
    reason,
  }),
  of('task.status', { goalId, taskId: z.string(), status: z.enum(TASK_STATUSES), reason }),
  of('task.files', { goalId, taskId: z.string(), head: z.string(), files: z.array(z.string()) }),
  of('task.deviation', { goalId, taskId: z.string(), text: z.string() }),
  of('task.verified', {
    goalId,
    taskId: z.string(),
    pass: z.number(),
    warn: z.number(),
    fail: z.number(),
  }),
  of('run.status', {
    goalId,
    taskId,
    runId: z.string(),
    stage: z.enum(STAGES),
    adapter: z.string(),
    status: z.enum(['running', 'done', 'failed', 'interrupted', 'lost']),
    reason: z.enum(FAILURE_REASONS).nullable(),
    detail: reason,
    tokens: z.number(),
    /** It used tokens besides those, which its agent did not tell. */
    uncounted: z.boolean().optional(),
  }),
  of('correction.status', {
    goalId,
    taskId,
    runId: z.string(),
    correctionId: z.string(),
    state: z.enum(CORRECTION_FATES),
    text: z.string(),
    /** Why, where it was not its own run that took it. */
    note: reason.optional(),
  }),
  of('review.pending', {
    goalId,
    taskId,
    reviewId: z.string(),
    kind: z.enum(REVIEW_KINDS),
    tier: z.enum(TIERS),
    reason: z.string(),
  }),
  of('review.decided', {
    goalId,
    taskId,
    reviewId: z.string(),
    decision: z.enum([...DECISIONS, 'superseded']),
    comment: reason,
  }),
  of('goal.merged', { goalId, commit: z.string(), target: z.string() }),
  of('goal.salvaged', { goalId, repository: z.string(), ref: z.string() }),
  of('pool.status', { paused: z.boolean(), held: z.number(), waiting: z.number() }),
  of('project.changed', { projectId: z.string(), change: z.enum(['added', 'changed', 'removed']) }),
  of('suggestion.changed', { projectId: z.string() }),
  of('settings.changed', { keys: z.array(z.string()) }),
  of('system.notice', { level: z.enum(['info', 'warn', 'error']), text: z.string() }),
])
export type EventBody = z.infer<typeof eventBody>
export type EventType = EventBody['type']

/** A stored event: `seq` is gapless within its stream, `feedSeq` gapless over all streams. */
export const event = z.intersection(
  z.object({
    stream: z.string(),
    seq: z.int(),
    feedSeq: z.int(),
    /** `person:<name>`, `agent:<adapter>`, `policy` or `dispatch`. */
    actor: z.string(),
    at: z.string(),
  }),
  eventBody,
)
export type StoredEvent = z.infer<typeof event>

/** Names of the product's document on the live socket, by the type of event that each carries. */
export const WIRE_NAMES = {
  'goal.created': 'goal:status',
  'goal.status': 'goal:status',
  'goal.profile': 'goal:status',
  'goal.merged': 'goal:status',
  'goal.salvaged': 'goal:status',
  'stage.status': 'goal:status',
  'task.status': 'task:status',
  'task.files': 'task:status',
  'task.deviation': 'task:status',
  'task.verified': 'task:status',
  'run.status': 'agent:status',
  'correction.status': 'agent:status',
  'review.pending': 'review:pending',
  'review.decided': 'review:pending',
  'pool.status': 'pool:status',
  'project.changed': 'system:status',
  'suggestion.changed': 'system:status',
  'settings.changed': 'system:status',
  'system.notice': 'system:status',
} as const satisfies Record<EventType, string>

/** What a client sends on `/ws`. Streams: `feed`, `goal/<id>`, `pool`... by seq, or `run/<id>` for a transcript. */
export const socketRequest = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('subscribe'),
    stream: z.string().max(100),
    after: z.int().min(0),
    /** Begin with the newest so many (0: only what comes) where that is later than `after`. */
    last: z.int().min(0).max(100_000).optional(),
  }),
  z.strictObject({ type: z.literal('unsubscribe'), stream: z.string().max(100) }),
])
export type SocketRequest = z.infer<typeof socketRequest>

/** What the server sends: batches in order, and `live` once when the replay has caught up. */
export type SocketMessage =
  | { type: 'hello'; version: string }
  | {
      type: 'batch'
      stream: string
      name: string
      items: { seq: number; [key: string]: unknown }[]
    }
  | { type: 'live'; stream: string; seq: number }
  | { type: 'error'; code: string; detail: string; stream?: string }

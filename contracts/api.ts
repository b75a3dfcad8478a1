/** What each route takes and answers. One entry per route of `routes.ts`; a missing or surplus one does not compile. */
import { z } from 'zod'
import { NETWORKS, SANDBOXES } from './agent.ts'
import { event } from './events.ts'
import { LEDGER_GROUPS, LEDGER_ORDERS, timeZoneOf } from './ledger.ts'
import { specOutput } from './outputs.ts'
import type { RouteName } from './routes.ts'
import {
  adapterInfo,
  agentRun,
  agentRunDetail,
  checkCommands,
  checkedIds,
  correction,
  decision,
  diffFile,
  goal,
  goalSummary,
  ledgerRow,
  ledgerUsage,
  overview,
  poolState,
  profile,
  profileStages,
  project,
  review,
  reviewDiff,
  reviewSummary,
  settings,
  stageAgent,
  suggestion,
  task,
  text,
  transcriptEntry,
} from './schemas.ts'
import { GOAL_STATUSES, REVIEW_STATUSES, TASK_STATUSES } from './stages.ts'

const MB = 1024 * 1024
/** Of a request. The ids of the longest checklist take most of it, in any script and escaped. */
export const MOST_BODY_BYTES = 3 * MB

export interface RouteSchema {
  summary: string
  params?: z.ZodType
  query?: z.ZodType
  body?: z.ZodType
  /** Of the body, where it may be longer than `MOST_BODY_BYTES`. */
  mostBytes?: number
  reply: z.ZodType
}

const id = z.strictObject({ id: z.string().min(1).max(100) })
/** A project's name or path will do as well. */
const projectId = z.strictObject({ id: z.string().min(1).max(4096) })
const page = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(500).optional(),
}
/** A page: `next` is the cursor of the following page, null on the last. */
const listOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next: z.string().nullable() })
/** A name that this machine's time zones know. */
const timeZone = z
  .string()
  .max(60)
  .refine((zone) => timeZoneOf(zone), 'must be the name of a time zone, such as Europe/Berlin')
  .transform((zone) => timeZoneOf(zone) ?? zone)
/** There is no year 0, which ISO 8601 has; it also has any number of digits after the second, of which Postgres reads some. */
const isStorable = (value: string) => !value.startsWith('0000') && value.length <= 40
const dayOrTime = z.union([z.iso.date().refine(isStorable), z.iso.datetime().refine(isStorable)], {
  error: 'must be a day or time that exists, such as 2026-01-31 or 2026-01-31T12:00:00Z',
})
const nothing = z.strictObject({})
/** `profile`: by whose agents the goal goes on. */
const otherProfile = z.strictObject({ profile: text(200).optional() })
const comment = text(20_000)
/** Of a project or profile. It stands in addresses, where dots alone are steps up the path. */
const name = text(100).refine((value) => !/^\s*\.\.?\s*$/.test(value), 'must not be dots alone')
const conventions = z.string().max(20_000)
const fallbacks = z.array(stageAgent).max(10)
const profileNetwork = z.enum(NETWORKS).nullable()

export const decideBody = z.strictObject({
  decision,
  /** The hash that the review was rendered from; anything else is refused with 409. */
  hash: z.string().min(1).max(200),
  comment: comment.optional(),
  /** Ids of the checklist items that the person checked. */
  checklist: checkedIds.optional(),
  /** The spec as the person changed it; only for an approval of a spec review. */
  edits: specOutput.optional(),
  /** Where the decision was made: `ui`, `cli` or `api`. */
  via: z.enum(['ui', 'cli', 'api']).default('api'),
})
export type DecideBody = z.input<typeof decideBody>

export const createGoalBody = z.strictObject({
  /** Id, short id, name or path of a project. */
  project: text(4096),
  title: text(300).optional(),
  description: text(65_536),
  /** Name or id; absent means the project's, else the default. */
  profile: text(200).optional(),
  /** Absent means the project's default branch. */
  targetBranch: text(1024).optional(),
  /** Tokens of each task; absent means the setting's. */
  tokenBudget: z.int().min(0).max(1_000_000_000).optional(),
  /** Tokens of the whole goal; absent means the setting's. */
  goalBudget: z.int().min(0).max(1_000_000_000).optional(),
  skipSpecReview: z.boolean().optional(),
})

export const doctorFinding = z.object({
  name: z.string(),
  ok: z.boolean(),
  message: z.string(),
  advice: z.string().nullable(),
  repaired: z.boolean(),
})

export const api = {
  health: { summary: 'Is the process alive', reply: z.object({ status: z.literal('ok') }) },
  ready: {
    summary:
      'Can it work: Postgres answers, Temporal answers and takes what it is told, a worker lives and does not hang',
    reply: z.object({
      status: z.enum(['ok', 'degraded']),
      postgres: z.boolean(),
      temporal: z.boolean(),
      worker: z.boolean(),
      /** Since when a worker that is there does not answer; null when it does, or when there is none. */
      workerSilentSince: z.iso.datetime().nullable(),
      /** What Temporal has not taken within seconds, although it may answer: since when, and why the oldest waits. Null when it takes all. */
      undelivered: z
        .object({ messages: z.int(), since: z.iso.datetime(), error: z.string() })
        .nullable(),
    }),
  },

  getOverview: {
    summary: 'Projects with what waits in them, reviews due, the pool, and usage since a time',
    query: z.strictObject({
      since: z.iso.datetime().refine(isStorable, 'must be a time that exists').optional(),
    }),
    reply: overview,
  },

  listProjects: { summary: 'Projects', query: z.strictObject(page), reply: listOf(project) },
  suggestProjects: {
    summary: 'Folders with a git repository that are not projects yet, the latest used first',
    reply: z.object({ items: z.array(z.object({ path: z.string(), name: z.string() })) }),
  },
  createProject: {
    summary: 'Register a git repository',
    body: z.strictObject({
      path: z.string().min(1).max(4096),
      name: name.optional(),
      defaultBranch: text(1024).optional(),
      checks: checkCommands.optional(),
      profile: text(200).optional(),
      trusted: z.boolean().optional(),
      sandbox: z.enum(SANDBOXES).optional(),
      network: z.enum(NETWORKS).optional(),
    }),
    reply: project,
  },
  getProject: { summary: 'One project', params: projectId, reply: project },
  updateProject: {
    summary: 'Change a project',
    params: projectId,
    body: z.strictObject({
      name: name.optional(),
      defaultBranch: text(1024).optional(),
      checks: checkCommands.optional(),
      profile: text(200).nullable().optional(),
      trusted: z.boolean().optional(),
      sandbox: z.enum(SANDBOXES).optional(),
      network: z.enum(NETWORKS).optional(),
      conventions: conventions.optional(),
    }),
    reply: project,
  },
  deleteProject: {
    summary: 'Forget a project; its repository is not touched',
    params: projectId,
    reply: z.object({ id: z.string() }),
  },

  listGoals: {
    summary: 'Goals, newest first',
    query: z.strictObject({
      ...page,
      status: z.enum(GOAL_STATUSES).optional(),
      /** Goals that can still go on, or those that cannot. */
      state: z.enum(['open', 'over']).optional(),
      project: z.string().max(4096).optional(),
      /** Words, each of which is in its id or its title. */
      words: z.string().max(200).optional(),
    }),
    reply: listOf(goalSummary),
  },
  createGoal: { summary: 'File a goal', body: createGoalBody, reply: goalSummary },
  getGoal: {
    summary: 'A goal with its spec, tasks, stages, reviews and usage',
    params: id,
    reply: goal,
  },
  pauseGoal: {
    summary: 'Interrupt its agents, keep their sessions',
    params: id,
    body: nothing,
    reply: goalSummary,
  },
  resumeGoal: {
    summary: 'Go on in the same sessions, or with another profile if one is named',
    params: id,
    body: otherProfile,
    reply: goalSummary,
  },
  cancelGoal: {
    summary: 'End everything, keep the work',
    params: id,
    body: z.strictObject({ reason: comment.optional() }),
    reply: goalSummary,
  },
  retryGoal: {
    summary: 'Try the failed stage again, with another profile if one is named',
    params: id,
    body: otherProfile,
    reply: goalSummary,
  },

  listTasks: {
    summary: 'Tasks',
    query: z.strictObject({
      ...page,
      status: z.enum(TASK_STATUSES).optional(),
      goal: z.string().max(100).optional(),
    }),
    reply: listOf(task),
  },
  getTask: { summary: 'One task', params: id, reply: task },
  updateTask: {
    summary: 'Say who writes a task; null leaves it to the profile. It holds from the next run on',
    params: id,
    body: z.strictObject({ agent: stageAgent.nullable() }),
    reply: task,
  },
  getTaskDiff: {
    summary: 'What a task changed',
    params: id,
    reply: z.object({
      base: z.string(),
      head: z.string(),
      hash: z.string(),
      files: z.array(diffFile),
      patch: z.string(),
      truncated: z.boolean(),
    }),
  },
  approveTask: {
    summary: "Approve the task's pending review",
    params: id,
    body: decideBody.omit({ decision: true, edits: true }),
    reply: review,
  },
  rejectTask: {
    summary: "Reject the task's pending review",
    params: id,
    body: decideBody.omit({ decision: true, edits: true }).extend({ comment }),
    reply: review,
  },

  listReviews: {
    summary: 'Reviews, oldest pending first',
    query: z.strictObject({
      ...page,
      status: z.enum(REVIEW_STATUSES).optional(),
      goal: z.string().max(100).optional(),
    }),
    reply: listOf(reviewSummary),
  },
  getReview: { summary: 'A review with everything a decision needs', params: id, reply: review },
  getReviewDiff: {
    summary: 'What a review is about, file by file; against the base or what was judged before',
    params: id,
    query: z.strictObject({
      against: z.enum(['base', 'previous']).default('base'),
      whitespace: z.enum(['show', 'ignore']).default('show'),
      /** One file, whole: for one that was left out. */
      path: z.string().min(1).max(4096).optional(),
    }),
    reply: reviewDiff,
  },
  decideReview: {
    summary: 'Decide a review, once',
    params: id,
    body: decideBody,
    mostBytes: 64 * MB, // an edited spec whose 450 texts have 20,000 characters each
    reply: review,
  },

  listAgents: {
    summary: 'Agent runs, newest first',
    query: z.strictObject({
      ...page,
      status: z.enum(['running', 'done', 'failed', 'interrupted', 'lost']).optional(),
      /** Runs at work, or those that are over. */
      state: z.enum(['live', 'over']).optional(),
      adapter: text(60).optional(),
      goal: z.string().max(100).optional(),
      task: z.string().max(100).optional(),
      words: z.string().max(200).optional(),
    }),
    reply: listOf(agentRun),
  },
  getAgent: {
    summary: 'One agent run, with what people told it',
    params: id,
    reply: agentRunDetail,
  },
  correctAgent: {
    summary: 'Tell an agent something in the middle of its work; later attempts are told too',
    params: id,
    body: z.strictObject({ text: comment }),
    reply: correction,
  },
  stopAgent: {
    summary: 'End one run; its stage then waits for a person, who may retry',
    params: id,
    body: nothing,
    reply: agentRunDetail,
  },
  getTranscript: {
    summary: 'What an agent run said and did, by seq',
    params: id,
    query: z.strictObject({
      after: z.coerce.number().int().min(0).default(0),
      /** The last ones before this seq instead, oldest first; `next` is then the seq to go on before. */
      before: z.coerce.number().int().min(1).optional(),
      kind: text(20).optional(),
      /** At most; long ones fill a page before, with about a megabyte. */
      limit: z.coerce.number().int().min(1).max(1000).default(200),
    }),
    reply: listOf(transcriptEntry),
  },
  listSuggestions: {
    summary: 'Corrections that say the same and could be a convention',
    query: z.strictObject({
      ...page,
      project: z.string().max(4096).optional(),
      status: suggestion.shape.status.default('pending'),
    }),
    reply: listOf(suggestion),
  },
  acceptSuggestion: {
    summary: 'Make it a convention of its project, or of a profile; every later prompt holds it',
    params: id,
    body: z.strictObject({
      into: z.enum(['project', 'profile']).default('project'),
      /** Name or id; absent means that of the goal that was corrected last. */
      profile: text(200).optional(),
      /** In other words than suggested. */
      text: comment.optional(),
    }),
    reply: suggestion,
  },
  dismissSuggestion: {
    summary: 'Not a convention; it comes again only when it grows',
    params: id,
    body: nothing,
    reply: suggestion,
  },
  listAdapters: { summary: 'Agents found on this machine', reply: listOf(adapterInfo) },
  scanAdapters: {
    summary:
      'Let workers look for agents again; `settings.changed` with `adapters` says that they have',
    body: nothing,
    reply: z.object({ asked: z.literal(true) }),
  },

  getPool: { summary: 'Who runs, who waits and why', reply: poolState },
  pausePool: { summary: 'Start no more runs; running ones go on', body: nothing, reply: poolState },
  resumePool: { summary: 'Start runs again', body: nothing, reply: poolState },

  listEvents: {
    summary: 'Replay a stream (`feed`, `goal/<id>`, `system`) after a seq',
    query: z.strictObject({
      stream: z.string().min(1).max(100).default('feed'),
      after: z.coerce.number().int().min(0).default(0),
      limit: z.coerce.number().int().min(1).max(200).default(200),
      /** The newest so many instead, oldest first: where a live view begins. */
      last: z.coerce.number().int().min(1).max(200).optional(),
    }),
    reply: listOf(event),
  },
  getLedger: {
    summary:
      'Tokens and cost by run, task, goal and so on: those with the most tokens first, or the dearest (days: the newest first), with the sum over all. A run counts on the day it was asked for',
    query: z.strictObject({
      ...page,
      by: z.enum(LEDGER_GROUPS).default('goal'),
      /** Those that used the most come first. A cost that is unknown in part counts with what is known of it. */
      order: z.enum(LEDGER_ORDERS).default('tokens'),
      /** A time, or a day in `zone`. */
      from: dayOrTime.optional(),
      to: dayOrTime.optional(),
      /** Only this goal's runs: id or short id. */
      goal: z.string().max(100).optional(),
      /** Only this project's: id, short id, name or path. */
      project: z.string().max(4096).optional(),
      /** Where days begin, such as Europe/Berlin. */
      zone: timeZone.default('UTC'),
    }),
    reply: z.object({
      items: z.array(ledgerRow),
      next: z.string().nullable(),
      total: ledgerUsage,
    }),
  },

  listProfiles: { summary: 'Pipeline profiles', reply: listOf(profile) },
  createProfile: {
    summary: 'New profile',
    body: z.strictObject({
      name,
      stages: profileStages,
      conventions: conventions.optional(),
      secondOpinion: stageAgent.nullable().optional(),
      fallbacks: fallbacks.optional(),
      network: profileNetwork.optional(),
    }),
    reply: profile,
  },
  getProfile: { summary: 'One profile', params: id, reply: profile },
  updateProfile: {
    summary: 'Change a profile; running goals keep their snapshot',
    params: id,
    body: z.strictObject({
      name: name.optional(),
      stages: profileStages.partial().optional(),
      conventions: conventions.optional(),
      secondOpinion: stageAgent.nullable().optional(),
      fallbacks: fallbacks.optional(),
      network: profileNetwork.optional(),
    }),
    reply: profile,
  },
  deleteProfile: {
    summary: 'Delete a profile that no project uses',
    params: id,
    reply: z.object({ id: z.string() }),
  },

  getSettings: { summary: 'Settings', reply: settings },
  updateSettings: { summary: 'Change settings', body: settings.partial(), reply: settings },

  runDoctor: {
    summary:
      'Look for orphans (worktrees, branches, runs, leases); `repair` mends what is safe to mend',
    body: z.strictObject({ repair: z.boolean().default(false) }),
    reply: z.object({ findings: z.array(doctorFinding) }),
  },
} as const satisfies Record<RouteName, RouteSchema>

type Schemas = typeof api
type InputOf<N extends RouteName, K extends string> =
  Schemas[N] extends Record<K, infer T extends z.ZodType> ? z.input<T> : undefined
export type Params<N extends RouteName> = InputOf<N, 'params'>
export type Query<N extends RouteName> = InputOf<N, 'query'>
export type Body<N extends RouteName> = InputOf<N, 'body'>
export type Reply<N extends RouteName> = z.output<Schemas[N]['reply']>

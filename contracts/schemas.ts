/** Every entity as it crosses the wire. Times are ISO-8601 UTC strings; money is USD; absent cost means unknown. */
import { z } from 'zod'
import { CAPABILITIES, CORRECTION_FATES, FAILURE_REASONS, NETWORKS, SANDBOXES } from './agent.ts'
import {
  auditFinding,
  builtOutput,
  MOST_JUDGED_ITEMS,
  securitySpecOutput,
  specOutput,
  testSpecOutput,
  verifyItem,
} from './outputs.ts'
import {
  AGENT_STAGES,
  DECISIONS,
  GOAL_STATUSES,
  REVIEW_KINDS,
  REVIEW_STATUSES,
  RISKS,
  STAGE_STATUSES,
  STAGES,
  TASK_STATUSES,
  TIERS,
} from './stages.ts'

export const uuid = z.uuid()
export const time = z.iso.datetime()
/** Text a person typed: no NUL (Postgres refuses it), something visible in it. */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\u0000'), 'must not contain NUL characters')
    .refine((value) => /[^\s\p{Cf}]/u.test(value), 'must not be empty')

export const usage = z.object({
  input: z.int(),
  output: z.int(),
  cacheRead: z.int(),
  cacheWrite: z.int(),
  reasoning: z.int(),
  total: z.int(),
  /** US dollars; null as soon as the cost of one run is unknown. */
  costUsd: z.number().nullable(),
  /** What is known of it: without the runs whose cost is unknown. */
  knownUsd: z.number(),
  /** The part of `knownUsd` that is an estimate from list prices, because the agent does not say what it cost. */
  estimatedUsd: z.number(),
  /** How many runs have a cost that nobody knows. */
  unpricedRuns: z.int(),
  /** How many runs used tokens that their agents do not tell, or have not told yet: they are not in the sums above. */
  uncountedRuns: z.int(),
  /** What those runs used, estimated from what was said. */
  estimatedTokens: z.int(),
})
export type UsageTotals = z.infer<typeof usage>

const checkCommand = z.strictObject({ name: text(60), command: text(2000) })
export type CheckCommand = z.infer<typeof checkCommand>
const MOST_CHECKS = 20
export const checkCommands = z.array(checkCommand).max(MOST_CHECKS)

export const project = z.object({
  id: uuid,
  shortId: z.string(),
  name: z.string(),
  path: z.string(),
  defaultBranch: z.string(),
  trusted: z.boolean(),
  checks: z.array(checkCommand),
  profileId: uuid.nullable(),
  /** What every agent of its goals is told besides the repository's own files; Markdown. */
  conventions: z.string(),
  /** What keeps its agents from the rest of the machine, and what they then reach. */
  sandbox: z.enum(SANDBOXES),
  network: z.enum(NETWORKS),
  createdAt: time,
  /** What agents cannot do in this repository; told when it is added. */
  notes: z.array(z.string()).optional(),
})
export type Project = z.infer<typeof project>

export const stageAgent = z.strictObject({ adapter: text(60), model: text(200).optional() })
export type StageAgent = z.infer<typeof stageAgent>
export const profileStages = z.strictObject(
  Object.fromEntries(AGENT_STAGES.map((stage) => [stage, stageAgent])) as Record<
    (typeof AGENT_STAGES)[number],
    typeof stageAgent
  >,
)
export const profile = z.object({
  id: uuid,
  name: z.string(),
  stages: profileStages,
  /** What every agent that works by this profile is told; Markdown. */
  conventions: z.string(),
  /** Another agent that judges the security items after verify passed; null where none does. */
  secondOpinion: stageAgent.nullable(),
  /** Who takes an agent's place while its provider limits it, the first choice first; `auto` leaves it to Auto Model. */
  fallbacks: z.array(stageAgent),
  /** What its agents reach in a sandbox, where that is less than the project allows; null leaves it to the project. */
  network: z.enum(NETWORKS).nullable(),
  createdAt: time,
})
export type Profile = z.infer<typeof profile>
/** A stage's agent with the reason in words, where Dispatch chose it. */
const assignedAgent = stageAgent.extend({ reason: z.string().optional() })
const assignedStages = z.strictObject(
  Object.fromEntries(AGENT_STAGES.map((stage) => [stage, assignedAgent])) as Record<
    (typeof AGENT_STAGES)[number],
    typeof assignedAgent
  >,
)
/** What a goal keeps of its profile and the settings, from the moment it starts or gets another profile. */
export const profileSnapshot = z.object({
  name: z.string(),
  stages: assignedStages,
  skipSpecReview: z.boolean(),
  tokenBudget: z.int(),
  maxVerifyRounds: z.int(),
  /** The profile itself, whose conventions hold from the next prompt on. Goals of before have none of these. */
  id: uuid.optional(),
  secondOpinion: stageAgent.nullable().optional(),
  fallbacks: z.array(stageAgent).optional(),
  /** Holds once the profile is deleted; until then its own of today. */
  network: z.enum(NETWORKS).nullable().optional(),
  /** When a person gave the goal this profile; absent where it was filed with it. */
  since: z.iso.datetime().optional(),
})
export type ProfileSnapshot = z.infer<typeof profileSnapshot>

export const stageState = z.object({
  stage: z.enum(STAGES),
  taskId: uuid.nullable(),
  attempt: z.int(),
  status: z.enum(STAGE_STATUSES),
  /** Whose turn it is, or was last. */
  adapter: z.string().nullable(),
  /** The agents that did the work, in the order in which they did; before any has, the one whose turn it is. */
  adapters: z.array(z.string()),
  /** Why they and no others, where it is not simply what the profile says. */
  agentReason: z.string().nullable(),
  /** Why it waits or failed, in words a person can act on. */
  reason: z.string().nullable(),
  /** When it goes on by itself, while it waits for a provider; a retry goes on at once. */
  resumesAt: time.nullable(),
  startedAt: time.nullable(),
  endedAt: time.nullable(),
  /** How long agents worked on it, in runs that are over; waits and reviews are not in it. */
  workedMs: z.int(),
  /** Since when an agent is at work now. */
  workingSince: time.nullable(),
  usage,
})
export type StageState = z.infer<typeof stageState>

export const task = z.object({
  id: uuid,
  shortId: z.string(),
  goalId: uuid,
  key: z.string(),
  title: z.string(),
  description: z.string(),
  role: z.enum(['implement', 'frontend']),
  dependsOn: z.array(uuid),
  status: z.enum(TASK_STATUSES),
  /** Why nobody is at work on an active task: its goal is paused, or it waits in line or for a provider. */
  idle: z.enum(['paused', 'waiting']).nullable(),
  reason: z.string().nullable(),
  stage: z.enum(STAGES).nullable(),
  adapter: z.string().nullable(),
  /** Who writes it instead of the profile's agents, where a person said so. */
  agent: stageAgent.nullable(),
  blastRadius: z.enum(RISKS).nullable(),
  tier: z.enum(TIERS).nullable(),
  branch: z.string().nullable(),
  base: z.string().nullable(),
  head: z.string().nullable(),
  mergedCommit: z.string().nullable(),
  usage,
  /** Tokens that it may use before a person is asked; 0 means unlimited. */
  tokenBudget: z.int(),
  createdAt: time,
  updatedAt: time,
})
export type Task = z.infer<typeof task>

export const goalSummary = z.object({
  id: uuid,
  shortId: z.string(),
  title: z.string(),
  projectId: uuid,
  projectName: z.string(),
  status: z.enum(GOAL_STATUSES),
  /** A person paused it; one that needs attention says that as its status all the same. */
  paused: z.boolean(),
  /** The stage the goal is in now. */
  stage: z.enum(STAGES),
  /** Why it waits, failed or was cancelled: who or what, in words. */
  reason: z.string().nullable(),
  targetBranch: z.string(),
  profileName: z.string(),
  pendingReviews: z.int(),
  usage,
  /** Tokens that all its runs may use before a person is asked; 0 means unlimited. */
  goalBudget: z.int(),
  mergedCommit: z.string().nullable(),
  /** The agent runs that work on it now, with the last thing each said. */
  working: z.array(
    z.object({
      runId: uuid,
      runShortId: z.string(),
      adapter: z.string(),
      stage: z.enum(STAGES),
      lastLine: z.string().nullable(),
    }),
  ),
  createdAt: time,
  updatedAt: time,
})
export type GoalSummary = z.infer<typeof goalSummary>

export const specVersion = z.object({
  version: z.int(),
  role: z.enum(['spec', 'test', 'security']),
  status: z.enum(['draft', 'approved', 'superseded']),
  content: z.union([specOutput, testSpecOutput, securitySpecOutput]),
  hash: z.string(),
  createdAt: time,
})
export type SpecVersion = z.infer<typeof specVersion>

export const diffFile = z.object({
  path: z.string(),
  oldPath: z.string().nullable(),
  status: z.string(),
  additions: z.int(),
  deletions: z.int(),
  binary: z.boolean(),
  risk: z.enum(RISKS),
  /** Why the risk is what it is; hidden characters, mode changes, symlinks and submodules are named here. */
  notes: z.array(z.string()),
})
export type DiffFile = z.infer<typeof diffFile>

/** A changed file with its part of the diff. */
export const reviewFile = diffFile.extend({
  /** Id of its new content: the same id is the same content. Null when it was deleted. */
  blob: z.string().nullable(),
  /** Null when it was left out: it is long, and is sent when it is asked for by its path. Empty: nothing of it is to be shown. */
  patch: z.string().nullable(),
})
export type ReviewFile = z.infer<typeof reviewFile>

export const reviewDiff = z.object({
  base: z.string(),
  head: z.string(),
  /** The review's hash when this is all that it is about. */
  hash: z.string(),
  /** The attempt that a person judged before, if there was one. `rebased`: its base was another. */
  previous: z
    .object({
      attempt: z.int(),
      head: z.string(),
      decidedAt: time.nullable(),
      rebased: z.boolean(),
    })
    .nullable(),
  files: z.array(reviewFile),
  /** A file is too large to be shown whole even when it is asked for. */
  truncated: z.boolean(),
})
export type ReviewDiff = z.infer<typeof reviewDiff>

/** What another agent than verify's says of the security items, or why it says nothing. */
export const secondOpinion = z.object({
  adapter: z.string(),
  model: z.string().nullable(),
  status: z.enum(['given', 'missing', 'not_needed']),
  /** Why there is none. */
  reason: z.string().nullable(),
  items: z.array(verifyItem),
})
export type SecondOpinion = z.infer<typeof secondOpinion>

/** What an agent or a check calls it, with a prefix where two could be called the same. */
const checklistId = z.string().max(200)
/** As many items as a checklist can have. */
export const MOST_CHECKED = MOST_JUDGED_ITEMS + MOST_CHECKS
/** Ids of items that a person checked. */
export const checkedIds = z.array(checklistId).max(MOST_CHECKED)

export const checklistItem = z.strictObject({
  id: checklistId,
  text: z.string(),
  result: z.enum(['pass', 'warn', 'fail', 'unchecked']),
  evidence: z.string().nullable(),
  /** Where to look, when whoever judged it said so. */
  file: z.string().optional(),
  line: z.int().optional(),
  /** What a second agent says of the same item. `disagrees`: it counts as not passed whatever verify said. */
  second: z
    .strictObject({
      adapter: z.string(),
      result: z.enum(['pass', 'warn', 'fail', 'unchecked']),
      evidence: z.string().nullable(),
      file: z.string().optional(),
      line: z.int().optional(),
      disagrees: z.boolean(),
    })
    .optional(),
})
export type ChecklistItem = z.infer<typeof checklistItem>

export const reviewSummary = z.object({
  id: uuid,
  shortId: z.string(),
  kind: z.enum(REVIEW_KINDS),
  goalId: uuid,
  goalShortId: z.string(),
  goalTitle: z.string(),
  projectId: uuid,
  projectName: z.string(),
  taskId: uuid.nullable(),
  taskShortId: z.string().nullable(),
  title: z.string(),
  attempt: z.int(),
  tier: z.enum(TIERS),
  risk: z.enum(RISKS),
  /** How much there is to look at; zeros where it is no diff. */
  size: z.object({ files: z.int(), additions: z.int(), deletions: z.int() }),
  status: z.enum(REVIEW_STATUSES),
  /** What was rendered: a decision must name it. */
  hash: z.string(),
  createdAt: time,
  decidedAt: time.nullable(),
  decidedBy: z.string().nullable(),
  via: z.string().nullable(),
  comment: z.string().nullable(),
})
export type ReviewSummary = z.infer<typeof reviewSummary>

export const review = reviewSummary.extend({
  base: z.string().nullable(),
  head: z.string().nullable(),
  tree: z.string().nullable(),
  /** Why a person is asked. */
  reason: z.string(),
  checklist: z.array(checklistItem),
  files: z.array(diffFile),
  /** What is judged; once it is approved with edits, what was approved. */
  spec: specVersion.nullable(),
  /** What a person judged before, of the same spec. */
  previousSpec: specVersion.nullable(),
  /** Whoever approved the spec had changed it: `previousSpec` is what the agent wrote. */
  edited: z.boolean(),
  summary: z.string().nullable(),
  deviations: z.array(z.string()),
  findings: z.array(auditFinding),
  /** Null where the profile asks for none, or before verify has passed. */
  secondOpinion: secondOpinion.nullable(),
  /** The newest review of the same work as it is now; null while this is it. */
  newer: z.string().nullable(),
  history: z.array(
    z.object({
      shortId: z.string(),
      attempt: z.int(),
      /** What the agent said of its work. */
      summary: z.string().nullable(),
      decision: z.string(),
      comment: z.string().nullable(),
      by: z.string(),
      at: time,
    }),
  ),
})
export type Review = z.infer<typeof review>

export const agentRun = z.object({
  id: uuid,
  shortId: z.string(),
  goalId: uuid,
  goalShortId: z.string(),
  goalTitle: z.string(),
  taskId: uuid.nullable(),
  taskShortId: z.string().nullable(),
  taskTitle: z.string().nullable(),
  stage: z.enum(STAGES),
  attempt: z.int(),
  segment: z.int(),
  adapter: z.string(),
  model: z.string().nullable(),
  demo: z.boolean(),
  sessionId: z.string().nullable(),
  /** 2: another agent's opinion after verify. */
  opinion: z.int(),
  status: z.enum(['running', 'done', 'failed', 'interrupted', 'lost']),
  exitReason: z.enum(FAILURE_REASONS).nullable(),
  exitDetail: z.string().nullable(),
  usage,
  lastLine: z.string().nullable(),
  /** seq of its newest transcript entry. */
  lastSeq: z.int(),
  /** Who asked that it ends; null when nobody did. */
  stoppedBy: z.string().nullable(),
  startedAt: time.nullable(),
  endedAt: time.nullable(),
})
export type AgentRun = z.infer<typeof agentRun>

/** What a person told an agent in the middle of its work, and how far it came. */
export const correction = z.object({
  id: uuid,
  runId: uuid,
  text: z.string(),
  state: z.enum(CORRECTION_FATES),
  /** Why, where it was not its own run that took it. */
  note: z.string().nullable(),
  by: z.string(),
  createdAt: time,
  deliveredAt: time.nullable(),
  appliedAt: time.nullable(),
})
export type Correction = z.infer<typeof correction>
export const agentRunDetail = agentRun.extend({ corrections: z.array(correction) })
export type AgentRunDetail = z.infer<typeof agentRunDetail>

/** Corrections of a project that say the same, which could be a convention. */
export const suggestion = z.object({
  id: uuid,
  shortId: z.string(),
  projectId: uuid,
  projectName: z.string(),
  /** The profile of the goal that was corrected last. */
  profileName: z.string(),
  /** The one that stands best for all. */
  text: z.string(),
  status: z.enum(['pending', 'accepted', 'dismissed']),
  corrections: z.array(
    z.object({ id: uuid, runShortId: z.string(), text: z.string(), by: z.string(), at: time }),
  ),
  decidedBy: z.string().nullable(),
  decidedAt: time.nullable(),
  createdAt: time,
  updatedAt: time,
})
export type Suggestion = z.infer<typeof suggestion>

export const transcriptEntry = z.object({
  seq: z.int(),
  at: time,
  role: z.enum(['agent', 'system', 'hitl', 'tool']),
  kind: z.string(),
  content: z.record(z.string(), z.unknown()),
})
export type TranscriptEntry = z.infer<typeof transcriptEntry>

export const adapterInfo = z.object({
  adapter: z.string(),
  title: z.string(),
  found: z.boolean(),
  version: z.string().nullable(),
  binary: z.string().nullable(),
  /** What the binary leads to. */
  realpath: z.string().nullable(),
  /** Who put it there, such as "npm" or "nvm". */
  place: z.string().nullable(),
  owner: z.string().nullable(),
  capabilities: z.array(z.enum(CAPABILITIES)),
  /** Copies that are not started, and why. */
  others: z.array(
    z.object({
      path: z.string(),
      place: z.string(),
      version: z.string().nullable(),
      why: z.string(),
    }),
  ),
  login: z.enum(['ready', 'needed', 'unknown']),
  demo: z.boolean(),
  advice: z.string().nullable(),
  detectedAt: time,
})
export type AdapterInfo = z.infer<typeof adapterInfo>

export const poolState = z.object({
  paused: z.boolean(),
  pausedBy: z.string().nullable(),
  pausedAt: time.nullable(),
  maxConcurrent: z.int(),
  maxPerGoal: z.int(),
  held: z.array(
    z.object({
      id: z.string(),
      goalId: uuid,
      goalShortId: z.string(),
      goalTitle: z.string(),
      taskShortId: z.string().nullable(),
      taskTitle: z.string().nullable(),
      stage: z.string(),
      adapter: z.string(),
      since: time,
    }),
  ),
  waiting: z.array(
    z.object({
      id: z.string(),
      goalId: uuid,
      goalShortId: z.string(),
      goalTitle: z.string(),
      taskShortId: z.string().nullable(),
      taskTitle: z.string().nullable(),
      stage: z.string(),
      adapter: z.string(),
      position: z.int(),
      reason: z.string(),
      since: time,
    }),
  ),
})
export type PoolState = z.infer<typeof poolState>

const programPath = z
  .string()
  .max(4096)
  .regex(/^$|^\/|^[A-Za-z]:[\\/]/, 'must be the absolute path of a program, or empty')

export const settings = z.strictObject({
  displayName: z
    .string()
    .max(100)
    .regex(/^\P{Cc}*$/u, 'must be one line'),
  skipSpecReview: z.boolean(),
  /** Stages set to `auto` get an agent chosen by what the goal asks for and what is installed. */
  autoModel: z.boolean(),
  /** Tokens per task; 0 means unlimited. */
  tokenBudget: z.int().min(0).max(1_000_000_000),
  /** Tokens per goal, all its stages and tasks together; 0 means unlimited. */
  goalBudget: z.int().min(0).max(1_000_000_000),
  /** Tokens of all runs that start on one day, in the server's time zone; 0 means unlimited. */
  dayBudget: z.int().min(0).max(100_000_000_000),
  maxConcurrent: z.int().min(1).max(100),
  maxPerGoal: z.int().min(1).max(100),
  /** After this many failed verify rounds a person decides. */
  maxVerifyRounds: z.int().min(0).max(10),
  /** Longest silence of an agent before it counts as hung, in seconds. */
  agentSilenceSeconds: z.int().min(1).max(86_400),
  /** Wait for a provider's limit to end; off, a person is asked at once. */
  waitOnLimits: z.boolean(),
  /** The program of each agent; empty: Dispatch looks for it. */
  claudePath: programPath,
  codexPath: programPath,
  geminiPath: programPath,
})
export type Settings = z.infer<typeof settings>

/** What every page shows around its own content, in one answer. */
export const overview = z.object({
  version: z.string(),
  projects: z.array(
    z.object({
      id: uuid,
      shortId: z.string(),
      name: z.string(),
      /** Goals that are not over. */
      open: z.int(),
      /** Goals that wait for a person: a review is due, or they need attention. */
      waiting: z.int(),
    }),
  ),
  pendingReviews: z.int(),
  pool: z.object({
    paused: z.boolean(),
    pausedBy: z.string().nullable(),
    held: z.int(),
    waiting: z.int(),
    maxConcurrent: z.int(),
  }),
  /** Of the runs asked for since `since`. */
  usage,
})
export type Overview = z.infer<typeof overview>

export const ledgerUsage = usage.extend({
  runs: z.int(),
  /** Input that came from the provider's cache, of all input: 0 to 1; null where there was no input. */
  cacheHitRatio: z.number().nullable(),
  /** There was input enough to be cached, and less than 30 % of it was. */
  lowCache: z.boolean(),
  /** What the cache saved by list prices, in US dollars; less than 0 where writing it cost more. Null where it is known of no run. */
  cacheSavedUsd: z.number().nullable(),
})
export type LedgerUsage = z.infer<typeof ledgerUsage>
export const ledgerRow = z.object({
  /** What it is the sum of: a short id, a name, a day (`2026-01-31`). */
  key: z.string(),
  /** The same in words where the key alone says little: a title, a project's name. */
  label: z.string().nullable(),
  usage: ledgerUsage,
})
export type LedgerRow = z.infer<typeof ledgerRow>

/** Why a check was not run: nothing of an untrusted project is, and one that the work took away from the project's files cannot be. */
export const notRun = z.enum(['untrusted', 'gone'])
export type NotRun = z.infer<typeof notRun>

export const checkResult = z.object({
  name: z.string(),
  command: z.string(),
  ok: z.boolean(),
  exitCode: z.int().nullable(),
  notRun: notRun.optional(),
  seconds: z.number(),
  output: z.string(),
})
export type CheckResult = z.infer<typeof checkResult>

/** Work that was nowhere else when its worktree went: `git fetch <repository> <ref>` brings it. */
export const salvage = z.object({ repository: z.string(), ref: z.string() })

export const goal = goalSummary.extend({
  description: z.string(),
  profile: profileSnapshot,
  baseCommit: z.string().nullable(),
  branch: z.string().nullable(),
  workflowUrl: z.string().nullable(),
  stages: z.array(stageState),
  spec: specVersion.nullable(),
  testSpec: testSpecOutput.nullable(),
  securitySpec: securitySpecOutput.nullable(),
  tasks: z.array(task),
  reviews: z.array(reviewSummary),
  salvaged: z.array(salvage),
  verification: z.array(
    z.object({
      taskId: uuid,
      attempt: z.int(),
      items: z.array(verifyItem),
      checks: z.array(checkResult),
    }),
  ),
  implementation: z.array(z.object({ taskId: uuid, attempt: z.int(), output: builtOutput })),
  findings: z.array(auditFinding),
})
export type Goal = z.infer<typeof goal>

export const decision = z.enum(DECISIONS)
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  detail: z.string(),
  /** What the person can do about it. */
  advice: z.string().optional(),
  instance: z.string().optional(),
  requestId: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  /** The state that made a 409: who decided, the current hash, and the like. */
  current: z.record(z.string(), z.unknown()).optional(),
})
export type ProblemBody = z.infer<typeof problem>

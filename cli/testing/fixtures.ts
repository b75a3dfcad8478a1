import type { Reply } from '../../contracts/api.ts'
import type {
  AdapterInfo,
  AgentRun,
  Goal,
  GoalSummary,
  LedgerUsage,
  PoolState,
  ProblemBody,
  Project,
  Review,
  ReviewSummary,
  Settings,
  StageState,
  Suggestion,
  Task,
  UsageTotals,
} from '../../contracts/schemas.ts'

/** Answers of an API, complete and typed; tests change what they are about. */
export const ids = {
  project: '0198c0de-0000-7000-8000-000000000001',
  goal: '0198c0de-0000-7000-8000-000000000012',
  task: '0198c0de-0000-7000-8000-000000000031',
  review: '0198c0de-0000-7000-8000-000000000009',
  run: '0198c0de-0000-7000-8000-000000000007',
  profile: '0198c0de-0000-7000-8000-000000000002',
} as const
const at = '2026-01-31T12:00:00.000Z'

export const usage: UsageTotals = {
  input: 1000,
  output: 500,
  cacheRead: 0,
  cacheWrite: 0,
  reasoning: 0,
  total: 1500,
  costUsd: null,
  knownUsd: 0,
  estimatedUsd: 0,
  unpricedRuns: 1,
  uncountedRuns: 0,
  estimatedTokens: 0,
}

export const ledgerUsage: LedgerUsage = {
  ...usage,
  runs: 3,
  cacheHitRatio: 0,
  lowCache: false,
  cacheSavedUsd: null,
}

export const project: Project = {
  id: ids.project,
  shortId: 'P-1',
  name: 'shop',
  path: '/srv/shop',
  defaultBranch: 'main',
  trusted: false,
  checks: [{ name: 'test', command: 'npm test' }],
  profileId: null,
  sandbox: 'none',
  network: 'agent',
  conventions: '',
  createdAt: at,
}

export const goalSummary: GoalSummary = {
  id: ids.goal,
  shortId: 'G-12',
  title: 'Build auth module',
  projectId: ids.project,
  projectName: 'shop',
  status: 'active',
  paused: false,
  stage: 'implement',
  reason: null,
  targetBranch: 'main',
  profileName: 'Demo',
  pendingReviews: 1,
  usage,
  goalBudget: 0,
  mergedCommit: null,
  working: [],
  createdAt: at,
  updatedAt: at,
}

export const stage = (
  change: Partial<StageState> & Pick<StageState, 'stage' | 'status'>,
): StageState => ({
  taskId: null,
  attempt: 1,
  adapter: 'demo',
  adapters: ['demo'],
  agentReason: null,
  reason: null,
  resumesAt: null,
  startedAt: at,
  endedAt: null,
  workedMs: 0,
  workingSince: null,
  usage,
  ...change,
})

export const reviewSummary: ReviewSummary = {
  id: ids.review,
  shortId: 'R-9',
  kind: 'task',
  goalId: ids.goal,
  goalShortId: 'G-12',
  goalTitle: 'Build auth',
  projectId: ids.project,
  projectName: 'shop',
  taskId: ids.task,
  taskShortId: 'T-31',
  title: 'Add the login form',
  attempt: 1,
  tier: 'block',
  risk: 'high',
  size: { files: 1, additions: 40, deletions: 2 },
  status: 'pending',
  hash: 'sha256:abc',
  createdAt: at,
  decidedAt: null,
  decidedBy: null,
  via: null,
  comment: null,
}

export const review: Review = {
  ...reviewSummary,
  base: 'b'.repeat(40),
  head: 'a'.repeat(40),
  tree: null,
  reason: 'It changes how people sign in',
  checklist: [
    { id: 'c1', text: 'Passwords are hashed', result: 'pass', evidence: 'auth.ts:12' },
    { id: 'c2', text: 'Sessions end', result: 'warn', evidence: null },
  ],
  files: [
    {
      path: 'src/auth.ts',
      oldPath: null,
      status: 'added',
      additions: 40,
      deletions: 2,
      binary: false,
      risk: 'high',
      notes: ['sign-in'],
    },
  ],
  spec: null,
  previousSpec: null,
  edited: false,
  newer: null,
  summary: 'The form and its check',
  deviations: [],
  findings: [],
  secondOpinion: null,
  history: [],
}

export const task: Task = {
  id: ids.task,
  shortId: 'T-31',
  goalId: ids.goal,
  key: 'login',
  title: 'Add the login form',
  description: 'A form',
  role: 'implement',
  dependsOn: [],
  status: 'pending',
  idle: null,
  reason: null,
  stage: 'implement',
  adapter: 'demo',
  agent: null,
  blastRadius: 'high',
  tier: 'block',
  branch: null,
  base: null,
  head: null,
  mergedCommit: null,
  usage,
  tokenBudget: 0,
  createdAt: at,
  updatedAt: at,
}

export const reviewDiff: Reply<'getReviewDiff'> = {
  ...{ base: 'b'.repeat(40), head: 'a'.repeat(40), hash: 'sha256:abc' },
  ...{ previous: null, truncated: false },
  files: review.files.map((file) => ({ ...file, blob: null, patch: '+of the merge\n' })),
}

export const taskDiff: Reply<'getTaskDiff'> = {
  base: 'b'.repeat(40),
  head: 'a'.repeat(40),
  hash: 'sha256:abc',
  files: review.files,
  patch: [
    'diff --git a/src/auth.ts b/src/auth.ts',
    '--- a/src/auth.ts',
    '+++ b/src/auth.ts',
    '@@ -1,2 +1,2 @@',
    '--- a comment of SQL',
    '+const hidden = 1\r\u001b[8m // and more',
    ' same',
    '',
  ].join('\n'),
  truncated: false,
}

export const specReview: Review = {
  ...review,
  ...{ kind: 'spec', taskId: null, taskShortId: null, base: null, head: null, files: [] },
  checklist: [],
  spec: {
    version: 1,
    role: 'spec',
    status: 'draft',
    content: {
      title: 'Auth',
      summary: 'Sign in',
      requirements: [{ id: 'R1', text: 'People sign in' }],
      acceptance: [{ id: 'A1', text: 'A wrong password is refused' }],
      tasks: [],
    },
    hash: 'sha256:abc',
    createdAt: at,
  },
}

export const adapter: AdapterInfo = {
  adapter: 'demo',
  title: 'Demo agent (built in)',
  found: true,
  version: 'built in',
  binary: null,
  realpath: null,
  place: null,
  owner: null,
  capabilities: [],
  others: [],
  login: 'ready',
  demo: true,
  advice: null,
  detectedAt: at,
}

export const stageAgents = {
  spec: { adapter: 'demo' },
  test_spec: { adapter: 'demo' },
  security_spec: { adapter: 'demo' },
  implement: { adapter: 'demo' },
  frontend: { adapter: 'demo' },
  verify: { adapter: 'demo' },
  audit: { adapter: 'demo' },
}

export const goal: Goal = {
  ...goalSummary,
  description: 'Build auth module',
  profile: {
    name: 'Demo',
    stages: stageAgents,
    skipSpecReview: false,
    tokenBudget: 0,
    maxVerifyRounds: 2,
  },
  baseCommit: null,
  branch: null,
  workflowUrl: null,
  stages: [
    stage({
      stage: 'spec',
      status: 'passed',
      endedAt: '2026-01-31T12:00:08.000Z',
      workedMs: 8_000,
    }),
    stage({ stage: 'implement', status: 'running', taskId: ids.task, attempt: 2 }),
  ],
  spec: null,
  testSpec: null,
  securitySpec: null,
  tasks: [task],
  reviews: [reviewSummary],
  salvaged: [],
  verification: [],
  implementation: [],
  findings: [],
}

export const run: AgentRun = {
  id: ids.run,
  shortId: 'A-7',
  goalId: ids.goal,
  goalShortId: 'G-12',
  goalTitle: goalSummary.title,
  taskId: ids.task,
  taskShortId: task.shortId,
  taskTitle: task.title,
  stage: 'implement',
  attempt: 1,
  segment: 1,
  opinion: 1,
  adapter: 'demo',
  model: null,
  demo: true,
  sessionId: null,
  status: 'running',
  exitReason: null,
  exitDetail: null,
  usage,
  lastLine: 'writing src/auth.ts',
  lastSeq: 3,
  stoppedBy: null,
  startedAt: at,
  endedAt: null,
}

export const pool: PoolState = {
  paused: false,
  pausedBy: null,
  pausedAt: null,
  maxConcurrent: 3,
  maxPerGoal: 2,
  held: [
    {
      id: 'l1',
      goalId: ids.goal,
      goalShortId: 'G-12',
      goalTitle: goalSummary.title,
      taskShortId: task.shortId,
      taskTitle: task.title,
      stage: 'implement',
      adapter: 'demo',
      since: at,
    },
  ],
  waiting: [
    {
      id: 'l2',
      goalId: ids.goal,
      goalShortId: 'G-12',
      goalTitle: goalSummary.title,
      taskShortId: task.shortId,
      taskTitle: task.title,
      stage: 'verify',
      adapter: 'demo',
      position: 1,
      reason: 'pool 3/3',
      since: at,
    },
  ],
}

export const settings: Settings = {
  displayName: 'me',
  skipSpecReview: false,
  autoModel: true,
  tokenBudget: 0,
  goalBudget: 0,
  dayBudget: 0,
  maxConcurrent: 3,
  maxPerGoal: 2,
  maxVerifyRounds: 2,
  agentSilenceSeconds: 600,
  waitOnLimits: true,
  claudePath: '',
  codexPath: '',
  geminiPath: '',
}

export const suggestion: Suggestion = {
  id: ids.run,
  shortId: 'S-3',
  projectId: ids.project,
  projectName: 'shop',
  profileName: 'Demo',
  text: 'Use tabs.',
  status: 'pending',
  corrections: [1, 2, 3].map((n) => ({
    id: ids.run,
    runShortId: `A-${n}`,
    text: 'Use tabs.',
    by: 'person:me',
    at,
  })),
  decidedBy: null,
  decidedAt: null,
  createdAt: at,
  updatedAt: at,
}

export const problem = (
  change: Partial<ProblemBody> & Pick<ProblemBody, 'status' | 'code'>,
): ProblemBody => ({
  type: `urn:dispatch:${change.code}`,
  title: 'Refused',
  detail: change.code,
  requestId: 'r1',
  ...change,
})

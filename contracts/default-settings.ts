import type { Settings } from './schemas.ts'

/** The setting that names an adapter's program. */
export const PATH_SETTINGS = {
  claude: 'claudePath',
  codex: 'codexPath',
  gemini: 'geminiPath',
} as const satisfies Record<string, keyof Settings>

/** Settings that count tokens: they are written as budgets are. */
export const TOKEN_SETTINGS: readonly string[] = [
  'tokenBudget',
  'goalBudget',
  'dayBudget',
] satisfies (keyof Settings)[]

/** What holds until somebody sets something else. Zod-free: the UI marks what differs from it. */
export const DEFAULT_SETTINGS: Settings = {
  displayName: '',
  skipSpecReview: false,
  autoModel: true,
  tokenBudget: 0,
  goalBudget: 0,
  dayBudget: 0,
  maxConcurrent: 3,
  maxPerGoal: 2,
  maxVerifyRounds: 2,
  agentSilenceSeconds: 900,
  waitOnLimits: true,
  claudePath: '',
  codexPath: '',
  geminiPath: '',
}

import type { Logger } from 'pino'
import type { Reply } from '../contracts/api.ts'
import type { Database } from '../db/connect.ts'
import type { GuardRules } from './guard.ts'
import type { Metrics } from './metrics.ts'

/** What the API needs from outside; only `main.ts` builds real ones. */
export interface ApiDeps extends GuardRules {
  database: Database
  log: Pick<Logger, 'info' | 'warn' | 'error' | 'debug'>
  version: string
  /** Who decides when no display name is set: the user of the operating system. */
  userName: string
  metrics: Metrics
  /** Looks at a repository without running anything of it. Throws GitProblem with what to do. */
  inspectRepository: (
    path: string,
    options: { target?: string },
  ) => Promise<{
    root: string
    defaultBranch: string
    submodules: boolean
    lfs: boolean
    filters: string[]
  }>
  /** Checkouts on this machine that a person may want to add, given those that are projects. */
  nearbyRepositories: (known: readonly string[]) => Promise<{ path: string; name: string }[]>
  /** Throws when a goal cannot be merged into this branch of a known repository. Quick, whatever its size. */
  checkTarget: (path: string, target: string) => Promise<void>
  /** The diff between two commits in a project's clean hub. */
  readDiff: (range: {
    projectId: string
    base: string
    head: string
  }) => Promise<Omit<Reply<'getTaskDiff'>, 'base' | 'head'>>
  /** The same, file by file; `path` asks for one file, whole. */
  readReviewDiff: (range: {
    projectId: string
    base: string
    head: string
    ignoreWhitespace: boolean
    path: string | undefined
  }) => Promise<Pick<Reply<'getReviewDiff'>, 'hash' | 'files' | 'truncated'>>
  temporalReady: () => Promise<boolean>
  workflowUrl: (goalId: string) => string | null
  doctor: (repair: boolean) => Promise<Reply<'runDoctor'>['findings']>
  /** Called after every change, so that the outbox need not wait for its hint. */
  onChange: () => void
  /** Folder of the built pages; undefined serves none. */
  uiDir?: string | undefined
}

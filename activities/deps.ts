import type { AcpAgents } from '../adapters/registry.ts'
import type { DiskSpace } from '../config/disk.ts'
import type { Database } from '../db/connect.ts'
import type { Git } from '../git/git.ts'
import type { PromptStore } from '../prompts/prompts.ts'
import type { RunnerClient } from '../runner/runner.ts'

/** What activities work with; `worker/main.ts` makes the real ones. */
export interface ActivityDeps {
  database: Database
  git: Git
  runner: RunnerClient
  prompts: PromptStore
  /** The worker's own environment: agents get the few names of an allow-list out of it. */
  environment: Readonly<Record<string, string | undefined>>
  /** Agents of the Agent Client Protocol that the person configured; none by default. */
  acpAgents?: AcpAgents
  /** DISPATCH_HOME. */
  home: string
  /** The home's disk as it is now; no run is started while it is low. */
  disk: () => DiskSpace
  log: (message: string, data?: Record<string, unknown>) => void
}

import type { CheckResult, StageAgent } from '../contracts/schemas.ts'
import type { GoalFacts } from '../db/facts.ts'
import type { Opinion } from '../db/runs.ts'
import type { StageKey } from '../db/stages.ts'
import type { Workspace } from './workspace.ts'

/** What an agent is asked to do in one stage attempt. */
export interface AgentWork {
  key: StageKey
  facts: GoalFacts
  workspace: Workspace
  checks: CheckResult[] | undefined
  feedback: string
  /** Whose work it is: absent is the stage's own agent. */
  opinion?: Opinion
  /** The agent, where it is not the one that the profile or the task names. */
  agent?: StageAgent
  /** The parked segment that a person wants tried again at once. */
  tryNow?: number | undefined
}

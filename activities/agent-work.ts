import type { CheckResult } from '../contracts/schemas.ts'
import type { GoalFacts } from '../db/facts.ts'
import type { StageKey } from '../db/stages.ts'
import type { Workspace } from './workspace.ts'

/** What an agent is asked to do in one stage attempt. */
export interface AgentWork {
  key: StageKey
  facts: GoalFacts
  workspace: Workspace
  checks: CheckResult[] | undefined
  feedback: string
}

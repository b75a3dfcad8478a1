import { defineSearchAttributeKey } from '@temporalio/common'
import { patched, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow'
import { SEARCH } from '../contracts/messages.ts'
import { STAGE_TITLES, type Stage } from '../contracts/stages.ts'

const STATUS = defineSearchAttributeKey(SEARCH.status, 'KEYWORD')
const STAGE = defineSearchAttributeKey(SEARCH.stage, 'KEYWORD')
const ADAPTER = defineSearchAttributeKey(SEARCH.adapter, 'KEYWORD')
const PENDING_REVIEW = defineSearchAttributeKey(SEARCH.pendingReview, 'BOOL')

const TITLES: Readonly<Record<Row, string>> = { ...STAGE_TITLES, tasks: 'Tasks' }

/** What a goal's workflow knows of the stages that are done task by task; each task's own workflow has the rest. */
type Row = Stage | 'tasks'

/** The stages as an operator sees them in the Temporal UI: a Markdown table in the workflow's current details. */
export interface StageTable {
  set(row: Row, state: string): void
}

export function createStageTable(): StageTable {
  const rows = new Map<Row, string>()
  return {
    set(row, state) {
      rows.set(row, state)
      const lines = [...rows].map(
        ([key, value]) => `| ${TITLES[key]} | ${value.slice(0, 300).replaceAll('|', '/')} |`,
      )
      setCurrentDetails(['| Stage | State |', '|---|---|', ...lines].join('\n'))
    },
  }
}

/** As an operator finds a workflow: its own status, so that of a task that needs a person is not that of its goal. */
export type SearchStatus = 'active' | 'paused' | 'needs_attention' | 'completed' | 'cancelled'

/** Lets operators find workflows: `GoalStage="implement"`, `PendingReview=true`. One history event each. */
export function markSearch(values: {
  status: SearchStatus
  /** Without it the stage that it was in stays. */
  stage?: Stage
  pendingReview: boolean
  /** The agent at work, or `dispatch`. */
  adapter: string
}): void {
  upsertSearchAttributes([
    { key: STATUS, value: values.status },
    ...(values.stage ? [{ key: STAGE, value: values.stage }] : []),
    { key: ADAPTER, value: values.adapter },
    { key: PENDING_REVIEW, value: values.pendingReview },
  ])
}

/** The same for what changes the status alone; workflows from before this go on without it. */
export function markStatus(status: SearchStatus): void {
  if (patched('status-as-it-is')) upsertSearchAttributes([{ key: STATUS, value: status }])
}

import { defineSearchAttributeKey } from '@temporalio/common'
import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow'
import { SEARCH } from '../contracts/messages.ts'
import { STAGE_TITLES, type Stage } from '../contracts/stages.ts'

const STATUS = defineSearchAttributeKey(SEARCH.status, 'KEYWORD')
const STAGE = defineSearchAttributeKey(SEARCH.stage, 'KEYWORD')
const ADAPTER = defineSearchAttributeKey(SEARCH.adapter, 'KEYWORD')
const PENDING_REVIEW = defineSearchAttributeKey(SEARCH.pendingReview, 'BOOL')

/** The stages as an operator sees them in the Temporal UI: a Markdown table in the workflow's current details. */
export interface StageTable {
  set(stage: Stage, state: string): void
}

export function createStageTable(): StageTable {
  const rows = new Map<Stage, string>()
  return {
    set(stage, state) {
      rows.set(stage, state)
      const lines = [...rows].map(
        ([key, value]) => `| ${STAGE_TITLES[key]} | ${value.slice(0, 300).replaceAll('|', '/')} |`,
      )
      setCurrentDetails(['| Stage | State |', '|---|---|', ...lines].join('\n'))
    },
  }
}

/** Lets operators find workflows: `GoalStage="review"`, `PendingReview=true`. One history event each. */
export function markSearch(values: {
  status: string
  stage: Stage
  pendingReview: boolean
  /** The agent at work, or `dispatch`. */
  adapter: string
}): void {
  upsertSearchAttributes([
    { key: STATUS, value: values.status },
    { key: STAGE, value: values.stage },
    { key: ADAPTER, value: values.adapter },
    { key: PENDING_REVIEW, value: values.pendingReview },
  ])
}

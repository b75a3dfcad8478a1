import type { Connection } from '@temporalio/client'
import { defineSearchAttributeKey } from '@temporalio/common'

/** What operators can search for in Temporal. Lists in the product come from Postgres, never from here. */
export const GOAL_STATUS = defineSearchAttributeKey('GoalStatus', 'KEYWORD')
export const GOAL_STAGE = defineSearchAttributeKey('GoalStage', 'KEYWORD')
export const PROJECT_ID = defineSearchAttributeKey('ProjectId', 'KEYWORD')
export const ADAPTER = defineSearchAttributeKey('Adapter', 'KEYWORD')
export const PENDING_REVIEW = defineSearchAttributeKey('PendingReview', 'BOOL')

const KEYWORD = 2 // temporal.api.enums.v1.IndexedValueType
const BOOL = 5
/** Types by name, as `AddSearchAttributes` takes them. */
export const SEARCH_ATTRIBUTE_TYPES: Readonly<Record<string, number>> = {
  [GOAL_STATUS.name]: KEYWORD,
  [GOAL_STAGE.name]: KEYWORD,
  [PROJECT_ID.name]: KEYWORD,
  [ADAPTER.name]: KEYWORD,
  [PENDING_REVIEW.name]: BOOL,
}
const DAY_SECONDS = 86_400

/**
 * Registers our search attributes and keeps closed workflows for `retentionDays`. Safe at every boot: flags of the
 * dev server apply only when the namespace is made, and an unregistered attribute is refused later.
 */
export async function prepareNamespace(
  connection: Connection,
  namespace = 'default',
  retentionDays = 30,
): Promise<void> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace })
  const missing = Object.entries(SEARCH_ATTRIBUTE_TYPES).filter(
    ([name]) => !(name in customAttributes),
  )
  if (missing.length > 0) {
    await connection.operatorService.addSearchAttributes({
      namespace,
      searchAttributes: Object.fromEntries(missing),
    })
  }
  await connection.workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: { seconds: retentionDays * DAY_SECONDS } as never },
  })
}

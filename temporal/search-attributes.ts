import { type Connection, isGrpcDeadlineError, isGrpcServiceError } from '@temporalio/client'
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
const RETENTION_DAYS = 30
/** A moment is enough for one that answers. */
const PREPARE_MS = 30_000
const ALREADY_EXISTS = 6 // https://grpc.io/docs/guides/status-codes/

async function ensureNamespace(connection: Connection, namespace: string): Promise<void> {
  try {
    await connection.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: RETENTION_DAYS * DAY_SECONDS } as never,
    })
  } catch (error) {
    if (isGrpcServiceError(error) && error.code === ALREADY_EXISTS) return
    throw error
  }
}

export interface PrepareOptions {
  /** Makes the namespace where it is missing. */
  make?: boolean
  /** It is somebody else's: nothing but the search attributes is touched, without which no workflow of ours starts there. */
  theirs?: boolean
  /** Milliseconds until it is an error that Temporal has not done it; default 30,000. */
  withinMs?: number
  /** Gives it up. */
  signal?: AbortSignal
}

/** Temporal answers, but did not do what a namespace needs; the message says what to look at. */
export class NamespaceNotReady extends Error {
  constructor(namespace: string, withinMs: number, cause: unknown) {
    const hint = 'look at its log ("dispatch logs --service temporal") for why, and start again'
    super(
      `Temporal did not get its namespace ${namespace} ready within ${withinMs / 1000} s: ${hint}`,
      { cause },
    )
  }
}

/**
 * Registers our search attributes and keeps closed workflows for 30 days. Safe at every boot: flags of the dev server apply only
 * when the namespace is made, and an unregistered attribute is refused later. True when it knew none of them: then it is new.
 * Throws NamespaceNotReady when Temporal takes too long.
 */
export async function prepareNamespace(
  connection: Connection,
  namespace = 'default',
  { make = false, theirs = false, withinMs = PREPARE_MS, signal }: PrepareOptions = {},
): Promise<boolean> {
  signal?.throwIfAborted()
  const work = async () => {
    if (make) await ensureNamespace(connection, namespace)
    const isNew = await registerAttributes(connection, namespace)
    if (!theirs) await keepClosed(connection, namespace)
    return isNew
  }
  try {
    return await connection.withDeadline(Date.now() + withinMs, () =>
      signal ? connection.withAbortSignal(signal, work) : work(),
    )
  } catch (error) {
    signal?.throwIfAborted()
    if (isGrpcDeadlineError(error)) throw new NamespaceNotReady(namespace, withinMs, error)
    throw error
  }
}

async function registerAttributes(connection: Connection, namespace: string): Promise<boolean> {
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
  return missing.length === Object.keys(SEARCH_ATTRIBUTE_TYPES).length
}

async function keepClosed(connection: Connection, namespace: string): Promise<void> {
  await connection.workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: { seconds: RETENTION_DAYS * DAY_SECONDS } as never },
  })
}

import { patched, proxyActivities, proxyLocalActivities } from '@temporalio/workflow'
import type { Activities } from '../activities/types.ts'

/**
 * Every activity heartbeats each second on a timer, so a dead worker is noticed within 8 s. Retries have no count:
 * only infrastructure failures and the pool's line are retried (each says why in the Temporal UI); everything that
 * could fail for ever is answered as a value or fails at once as not retryable.
 */
const ALWAYS = { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s' } as const

/** Agents may work for hours; pausing interrupts the run and waits until it has ended. */
export const agents = proxyActivities<Activities>({
  startToCloseTimeout: '24h',
  heartbeatTimeout: '8s',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: ALWAYS,
})

/** Short work on Postgres and git. */
export const core = proxyActivities<Activities>({
  startToCloseTimeout: '15m',
  heartbeatTimeout: '8s',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: ALWAYS,
})

const inPlace = proxyLocalActivities<Activities>({
  startToCloseTimeout: '15m',
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: ALWAYS,
  // then it waits as a timer, which the Temporal UI shows
  localRetryThreshold: '5s',
})

/**
 * Work that takes milliseconds (the first goal of a large project excepted), done by the worker that runs the workflow:
 * without a queue, and with one durable write together with what the workflow does next. Workflows from before this go
 * on as they began.
 */
export const brief = (): Pick<
  typeof core,
  'startGoal' | 'approveSpec' | 'openReview' | 'settleReview'
> => (patched('brief-in-place') ? inPlace : core)

import {
  type Client,
  isGrpcServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
} from '@temporalio/client'
import { TypedSearchAttributes } from '@temporalio/common'
import type { Logger } from 'pino'
import { goalStream, goalWorkflowId, SYSTEM_STREAM, shortId } from '../contracts/ids.ts'
import {
  CANCEL_GOAL,
  type CancelGoal,
  GOAL_WORKFLOW,
  type GoalInput,
} from '../contracts/messages.ts'
import type { Database } from '../db/connect.ts'
import { type GoalAtWork, goalBehind } from '../db/goals-at-work.ts'
import { askNoMore } from '../db/lost-goals.ts'
import { deliverNext, type OutboxMessage, type OutboxRow, tryAllNow } from '../db/outbox.ts'
import { GOAL_STAGE, GOAL_STATUS, PROJECT_ID } from '../temporal/search-attributes.ts'
import { createLostGoalsWatch, workflowRuns } from './lost-goals.ts'

export interface Dispatcher {
  /** There may be something to deliver: look now. */
  wake(): void
  /** Ends after the delivery at hand. */
  close(): Promise<void>
}

export interface DispatcherDeps {
  database: Database
  /** Asks before each round, and rejects while Temporal is away: nothing is tried then, and no message waits longer. */
  client: () => Promise<Client>
  /** Link to a goal's page, shown in Temporal's own pages. */
  goalUrl: (goalId: string) => string
  /** Where the workers of this installation look. */
  taskQueue: string
  log: Pick<Logger, 'info' | 'warn'>
  onDelivered?: (count: number) => void
  /** How often it looks without being woken, in ms. */
  everyMs?: number
}

const EVERY_MS = 1_000
/** So many messages, then Temporal is asked again whether it is there. */
const ROUND = 50
/** For one message: a server that hangs must not keep its row locked. */
const ANSWER_MS = 10_000
const LONGEST_WAIT_S = 60
/** It went away during the round. Whoever waits for a pause should not wait for a minute more when it is back. */
const LONGEST_WAIT_AWAY_S = 5

/** Delivers the outbox to Temporal, one round at a time, for as long as it is open. */
export function createDispatcher(deps: DispatcherDeps): Dispatcher {
  let running: Promise<void> | undefined
  let again = false
  let closed = false
  let away: string | undefined
  let stopWaiting: () => void = () => undefined
  /** Ends a round that waits for a connection, which may take long. */
  const closing = new Promise<undefined>((resolve) => {
    stopWaiting = () => resolve(undefined)
  })

  const lostGoals = createLostGoalsWatch(deps)
  const reach = noticing(deps.client, () => {
    lostGoals.again()
    return tryAllNow(deps.database)
  })

  async function round(): Promise<void> {
    try {
      const client = await Promise.race([reach(), closing])
      if (!client) return
      if (away !== undefined) deps.log.info({}, 'Temporal answers again')
      away = undefined
      lostGoals.look(client)
      if (await deliverRound(client)) again = true // there may be more than one round delivers
    } catch (error) {
      const { message } = error as Error
      if (message !== away) deps.log.warn({ reason: message }, 'messages wait for Temporal')
      away = message
    }
  }

  /** True when it ended before everything that is due was tried. */
  async function deliverRound(client: Client): Promise<boolean> {
    for (let n = 0; n < ROUND && !closed; n += 1) {
      let lost: Error | undefined
      const result = await deliverNext(
        deps.database,
        (row) => client.withDeadline(Date.now() + ANSWER_MS, () => deliver(deps, client, row)),
        (error) => {
          if (!isAway(error)) return LONGEST_WAIT_S
          lost = error as Error
          return LONGEST_WAIT_AWAY_S
        },
      )
      if (lost) throw lost
      if (result === 'nothing') return false
      if (result === 'delivered') deps.onDelivered?.(1)
    }
    return true
  }

  async function rounds(): Promise<void> {
    do {
      again = false
      await round()
    } while (again && !closed)
    running = undefined
  }

  const wake = () => {
    if (closed) return
    again = true
    running ??= rounds()
  }
  const timer = setInterval(wake, deps.everyMs ?? EVERY_MS)
  wake()
  return {
    wake,
    async close() {
      closed = true
      clearInterval(timer)
      stopWaiting()
      await Promise.all([running, lostGoals.close()])
    },
  }
}

/** The client as before; `isBack` is done first when it could not be had the last time. */
function noticing(client: () => Promise<Client>, isBack: () => Promise<void>) {
  let away = false
  return async (): Promise<Client> => {
    try {
      const found = await client()
      if (away) await isBack()
      away = false
      return found
    } catch (error) {
      away = true
      throw error
    }
  }
}

/** UNAVAILABLE, DEADLINE_EXCEEDED and CANCELLED of gRPC: not a word about the message (https://grpc.io/docs/guides/status-codes/). */
const AWAY_CODES: readonly number[] = [14, 4, 1]

function isAway(error: unknown): boolean {
  const found = isGrpcServiceError(error) ? error : (error as Error).cause
  return isGrpcServiceError(found) && AWAY_CODES.includes(found.code)
}

async function deliver(deps: DispatcherDeps, client: Client, row: OutboxRow): Promise<void> {
  switch (row.kind) {
    case 'start_goal':
      return startGoal(deps, client, row)
    case 'signal':
      return signal(deps, client, row)
    default:
      return row satisfies never
  }
}

type Message<K extends OutboxMessage['kind']> = Extract<OutboxMessage, { kind: K }>

async function startGoal(
  deps: DispatcherDeps,
  client: Client,
  { workflowId, payload }: Message<'start_goal'>,
): Promise<void> {
  try {
    await client.workflow.start(GOAL_WORKFLOW, {
      ...startOptions(deps, workflowId, payload),
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
    })
  } catch (error) {
    // an earlier try started it, and its acknowledgement was lost
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
  }
}

function startOptions(
  { taskQueue, goalUrl }: DispatcherDeps,
  workflowId: string,
  { goalId, title, projectId }: Message<'start_goal'>['payload'],
) {
  const input: GoalInput = { v: 1, goalId }
  return {
    ...{ workflowId, taskQueue, args: [input] },
    staticSummary: shorten(title, SUMMARY_BYTES),
    staticDetails: `[${shorten(title, SUMMARY_BYTES)}](${goalUrl(goalId)})`,
    typedSearchAttributes: new TypedSearchAttributes([
      { key: GOAL_STATUS, value: 'active' },
      { key: GOAL_STAGE, value: 'spec' },
      { key: PROJECT_ID, value: projectId },
    ]),
  }
}

async function signal(deps: DispatcherDeps, client: Client, row: Message<'signal'>): Promise<void> {
  const { workflowId, payload } = row
  try {
    await client.workflow.getHandle(workflowId).signal(payload.signal, payload.args)
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error
    const goal = await goalBehind(deps.database.knex, workflowId)
    if (goal && (await beginAgain(deps, client, { row, goal }))) return begun(deps, goal)
    // its work is over: nobody waits for this signal, and trying again would not change that
    await tell(
      deps,
      SYSTEM_STREAM,
      `${payload.signal} came too late: the workflow ${workflowId} is over`,
    )
  }
}

/**
 * A goal at work whose workflow Temporal does not know any more (its database was lost or restored) gets a new one, which goes through
 * what Postgres has, so that what a person asked for is done. One whose start is still to be delivered is not among them: that message
 * comes first. False when the goal's workflow is there, and only that of the task is over.
 */
async function beginAgain(
  deps: DispatcherDeps,
  client: Client,
  { row, goal }: { row: Message<'signal'>; goal: GoalAtWork },
): Promise<boolean> {
  const workflowId = goalWorkflowId(goal.id)
  if (row.workflowId !== workflowId && (await workflowRuns(client, workflowId))) return false
  // whatever is asked for now, it was cancelled before
  const cancel: CancelGoal = { reason: goal.ending ?? '' }
  const { signal, args } =
    goal.ending === null ? row.payload : { signal: CANCEL_GOAL, args: cancel }
  await client.workflow.signalWithStart(GOAL_WORKFLOW, {
    ...startOptions(deps, workflowId, { ...goal, goalId: goal.id }),
    // an operator may have ended the old one
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    ...{ signal, signalArgs: [args] },
  })
  return true
}

/** Says so, and that nobody is needed for it; whoever looked for lost goals meanwhile sees by the time that it is none. */
function begun({ database }: DispatcherDeps, { id, number }: GoalAtWork): Promise<void> {
  const text = `Temporal had lost ${shortId('goal', number)}, so its workflow begins again: what was answered and decided stays, and what failed is asked about anew.`
  return database.change(async (tx, emit) => {
    await tx('goals').where({ id }).update({ updated_at: tx.fn.now() })
    await askNoMore(tx, emit, [id])
    emit(warning(goalStream(id), text))
  })
}

const tell = ({ database }: DispatcherDeps, stream: string, text: string): Promise<void> =>
  database.change(async (_tx, emit) => emit(warning(stream, text)))

const warning = (stream: string, text: string) =>
  ({ type: 'system.notice', stream, actor: 'dispatch', data: { level: 'warn', text } }) as const

/** Temporal's limit for a summary is 200 bytes. */
const SUMMARY_BYTES = 200

/** At most so many bytes of UTF-8, cut between characters, on one line. */
function shorten(text: string, bytes: number): string {
  const line = text.replace(/\s+/g, ' ')
  if (Buffer.byteLength(line) <= bytes) return line
  let short = ''
  for (const letter of line) {
    if (Buffer.byteLength(short) + Buffer.byteLength(letter) > bytes - 3) break
    short += letter
  }
  return `${short}…`
}

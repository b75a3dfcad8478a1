import type {
  Assignment,
  CheckEnd,
  CheckOrder,
  Order,
  Reply,
  RunnerReply,
} from './spawner-messages.ts'

export interface SpawnerClient {
  /** Gives the run to a runner. Throws when none takes it. */
  launch(assignment: Assignment): Promise<RunnerReply>
  /**
   * Runs a check and resolves with its end. Throws the signal's reason when that is aborted, nothing of the check left by
   * then, and an Error when it could not be run to its end.
   */
  check(order: CheckOrder, signal: AbortSignal): Promise<CheckEnd>
  close(): Promise<void>
}

export interface Asking {
  /** After so long there is no answer. */
  seconds: number
  /** Once aborted, what was ordered is unwanted; its answer is awaited all the same. */
  signal?: AbortSignal
}

/** A runner takes a run within a second; one that does not in so long hangs. */
export const ANSWER_SECONDS = 30
export const noAnswer = (seconds: number) => `no answer within ${seconds} s`

/** What is asked of a spawner, wherever it is: a child of this process, or the home's service. `ask` reaches it. */
export function spawnerClient(spawner: {
  ask(order: Order, asking: Asking): Promise<Reply>
  close(): Promise<void>
}): SpawnerClient {
  let closed = false
  const ask = async (order: Order, asking: Asking) => {
    if (closed) throw new Error('the runner client is closed')
    return spawner.ask(order, asking)
  }
  return {
    async launch(assignment) {
      // a second time when the first runner fell over: a run is claimed only once
      const first = await ask(assignment, { seconds: ANSWER_SECONDS })
      const reply =
        typeof first === 'string' ? first : await ask(assignment, { seconds: ANSWER_SECONDS })
      if (typeof reply === 'string') return reply
      throw new Error(`run ${assignment.runId} could not be started: ${failureOf(reply)}`)
    },
    async check(order, signal) {
      signal.throwIfAborted()
      const reply = await ask(order, { seconds: order.seconds + ANSWER_SECONDS, signal })
      signal.throwIfAborted()
      if (typeof reply === 'object' && 'output' in reply) return reply
      throw new Error(`the check could not be run to its end: ${failureOf(reply)}`)
    },
    async close() {
      closed = true
      await spawner.close()
    },
  }
}

const failureOf = (reply: Reply) =>
  typeof reply === 'object' && 'error' in reply ? reply.error : 'it was taken for something else'

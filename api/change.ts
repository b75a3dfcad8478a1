import type { Database, Tx } from '../db/connect.ts'
import type { EmittedEvent } from '../db/events.ts'
import { recall, remember } from '../db/idempotency.ts'
import { isRefusal, type Refusal } from '../db/refusal.ts'
import { readSettings } from '../db/settings.ts'
import { Problem } from './problem.ts'

export interface ChangeContext {
  tx: Tx
  emit: (event: EmittedEvent) => void
  /** Who acts: `person:<name>`. */
  actor: string
}

export interface Changes {
  /** One transaction on behalf of the person. */
  change<T>(work: (at: ChangeContext) => Promise<T>): Promise<T>
  /** The same for a create: a repeated Idempotency-Key gets the first answer instead of a second thing. */
  create<T>(
    call: { route: string; status: number; idempotencyKey: string | undefined; body: unknown },
    work: (at: ChangeContext) => Promise<T | Refusal>,
  ): Promise<T | Refusal>
}

/** `onChange` is called after every commit. */
export function createChanges(deps: {
  database: Database
  userName: string
  onChange: () => void
}): Changes {
  async function change<T>(work: (at: ChangeContext) => Promise<T>): Promise<T> {
    const result = await deps.database.change(async (tx, emit) => {
      const { displayName } = await readSettings(tx)
      return work({ tx, emit, actor: `person:${displayName || deps.userName}` })
    })
    deps.onChange()
    return result
  }
  return {
    change,
    create: (call, work) =>
      change(async (at) => {
        if (call.idempotencyKey === undefined) return work(at)
        const { route, body, status } = call
        const named = { route, key: call.idempotencyKey, body }
        const before = await recall(at.tx, named)
        switch (before.state) {
          case 'known':
            return before.reply as never
          case 'in_flight':
            throw new Problem(
              409,
              'in_flight',
              'The first request with this key is still at work.',
              {
                advice: 'Ask again in a moment.',
              },
            )
          case 'other_body':
            throw new Problem(422, 'key_reused', 'This key was used with another body.', {
              advice: 'Use a new Idempotency-Key for a new thing.',
            })
          case 'new': {
            const reply = await work(at)
            if (!isRefusal(reply)) await remember(at.tx, named, { status, reply })
            return reply
          }
          default:
            return before satisfies never
        }
      }),
  }
}

import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import { SET_PAUSED } from '../contracts/messages.ts'
import { databaseOfFile } from '../test/support/database.ts'
import type { Database } from './connect.ts'
import { deliverNext, enqueue, tryAllNow } from './outbox.ts'

let database: Database
databaseOfFile((own) => {
  database = own
})

afterEach(() => database.knex('outbox').delete())

const say = (workflowId: string, args: string) =>
  database.knex.transaction((tx) =>
    enqueue(tx, { kind: 'signal', workflowId, payload: { signal: SET_PAUSED, args } }),
  )

/** Delivers one message as `deliver` does; what it told, and how that ended. */
async function next(deliver: () => Promise<void> = async () => undefined) {
  let told: unknown
  const outcome = await deliverNext(
    database,
    async (row) => {
      told = row.kind === 'signal' ? row.payload.args : row.kind
      await deliver()
    },
    () => 60,
  )
  return { told, outcome }
}

test('what one workflow is told comes in order, also where the first message failed; it holds no other workflow up', async () => {
  await say('goal/1', 'first')
  await say('goal/1', 'second')
  await say('goal/2', 'other')
  const away = () => Promise.reject(new Error('Temporal is away'))
  expect(await next(away)).toEqual({ told: 'first', outcome: 'failed' })
  expect(await next()).toEqual({ told: 'other', outcome: 'delivered' })
  expect(await next()).toEqual({ told: undefined, outcome: 'nothing' })
  await tryAllNow(database)
  expect(await next()).toEqual({ told: 'first', outcome: 'delivered' })
  expect(await next()).toEqual({ told: 'second', outcome: 'delivered' })
})

test('while a message is delivered nobody else delivers it, nor the next one of its workflow', async () => {
  await say('goal/1', 'first')
  await say('goal/1', 'second')
  await say('goal/2', 'other')
  const delivery = new EventTarget()
  const begun = once(delivery, 'begun')
  const slow = next(async () => {
    const ended = once(delivery, 'end')
    delivery.dispatchEvent(new Event('begun'))
    await ended
  })
  await begun
  expect(await next()).toEqual({ told: 'other', outcome: 'delivered' })
  expect(await next()).toEqual({ told: undefined, outcome: 'nothing' })
  delivery.dispatchEvent(new Event('end'))
  expect(await slow).toEqual({ told: 'first', outcome: 'delivered' })
  expect(await next()).toEqual({ told: 'second', outcome: 'delivered' })
})

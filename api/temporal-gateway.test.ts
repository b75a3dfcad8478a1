import { Client } from '@temporalio/client'
import { expect, inject, test } from 'vitest'
import { connectTemporal } from '../temporal/connection.ts'
import { startTcpGate } from '../test/support/tcp-gate.ts'
import { createTemporalGateway } from './temporal-gateway.ts'

test('closed while a question waits for a server that is away, it lets the question end first', async () => {
  const gate = await startTcpGate(inject('temporalAddress'))
  const gateway = createTemporalGateway({
    connect: () => connectTemporal({ address: gate.address }),
    toClient: (connection) => new Client({ connection }),
  })
  await gateway.client()
  await gate.close()
  let ended = false
  const question = gateway
    .client()
    .catch(() => 'away')
    .finally(() => {
      ended = true
    })
  await gateway.close()
  // a channel closed under it would throw from the SDK's timer, which nothing can catch
  expect(ended).toBe(true)
  expect(await question).toBe('away')
})

import { type AddressInfo, createServer } from 'node:net'
import knex from 'knex'
import { expect, test } from 'vitest'
import type { Changes } from './change.ts'
import type { ApiDeps } from './deps.ts'
import { systemRoutes } from './routes/system.ts'

test('a database that hangs is told of within seconds, and nobody is left waiting for it', async () => {
  // takes connections and says nothing, as a server that was stopped
  const silent = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => silent.once('listening', resolve))
  const { port } = silent.address() as AddressInfo
  const database = { knex: knex({ client: 'pg', connection: { host: '127.0.0.1', port } }) }
  const deps = { database, temporalReady: async () => true } as unknown as ApiDeps
  const ready = await systemRoutes(deps, {} as Changes).ready({} as never)
  expect(ready).toMatchObject({ status: 'degraded', postgres: false, temporal: true })
  silent.close()
}, 10_000)

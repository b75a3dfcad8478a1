import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import { freePort, reachableAt } from './ports.ts'

test('a port in use is passed over', async () => {
  const server = createServer()
  const taken = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
  })
  const got = await freePort(taken)
  expect(got).not.toBe(taken)
  server.close()
})

test('what listens on all addresses is reached under a loopback one, and any other under its own', () => {
  const hosts = ['127.0.0.1', 'LocalHost', '127.0.0.2', '::1', '0.0.0.0', '::']
  expect(hosts.map((host) => reachableAt(host, 4400))).toEqual([
    ...['127.0.0.1:4400', 'localhost:4400', '127.0.0.2:4400'],
    ...['[::1]:4400', '127.0.0.1:4400', '[::1]:4400'],
  ])
})

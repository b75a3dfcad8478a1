import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { afterEach, expect, inject, test, vi } from 'vitest'
import { connectTemporal } from './connection.ts'

afterEach(() => void vi.unstubAllEnvs())

test('the way to a Temporal elsewhere is through the proxy, and to one of this machine it is not', async () => {
  const proxy = createServer().listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  vi.stubEnv('http_proxy', `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
  const asked = once(proxy, 'connection').then(async ([socket]: Socket[]) => {
    const [line] = await once(socket as Socket, 'data')
    socket?.destroy()
    return String(line)
  })
  const elsewhere = { address: 'temporal.example:7233', connectTimeoutMs: 1_000 }
  await expect(connectTemporal(elsewhere)).rejects.toThrow('no Temporal at temporal.example:7233')
  expect(await asked).toContain('CONNECT temporal.example:7233')
  proxy.close()

  const connection = await connectTemporal({ address: inject('temporalAddress') })
  expect((await connection.workflowService.getSystemInfo({})).serverVersion).toMatch(/^\d/)
  await connection.close()
})

import { once } from 'node:events'
import type { Server } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, expect, test } from 'vitest'
import { checkRequest } from './guard.ts'
import { foreignPeer } from './peer.ts'
import { createHttpServer } from './server.ts'

const undo: (() => unknown)[] = []
afterEach(() => {
  for (const step of undo.splice(0).reverse()) step()
})

/** A server on every address of this machine, a connection to it, and the server's end of that. */
async function connected(server: ReturnType<typeof createServer> | Server, host = '127.0.0.1') {
  server.listen(0)
  await once(server, 'listening')
  undo.push(() => server.close())
  const { port } = server.address() as { port: number }
  const client = connect({ host, port })
  const [socket]: Socket[] = await once(server, 'connection')
  undo.push(() => client.destroy())
  if (!socket) throw new Error('no connection')
  return { client, socket, port }
}

const V6 = (networkInterfaces()['lo'] ?? []).some(({ address }) => address === '::1')
const LINUX = process.platform === 'linux'

test.each(['127.0.0.1', ...(LINUX ? ['127.0.0.2'] : []), ...(V6 ? ['::1'] : [])])(
  'a connection of ours over %s is ours',
  async (host) => {
    expect(foreignPeer((await connected(createServer(), host)).socket)).toBe(false)
  },
)

test.runIf(LINUX)('whoever hung up before we looked counts as another user', async () => {
  const { client, socket } = await connected(createServer({ allowHalfOpen: true }))
  client.destroy()
  socket.resume()
  await once(socket, 'end')
  expect(foreignPeer(socket)).toBe(true)
})

test('who a connection belongs to is looked at when it opens, so what we ask before we hang up is done', async () => {
  const answer = await new Promise((resolve) => {
    const server = createHttpServer(async (request) => {
      await once(request.socket, 'close')
      resolve(checkRequest(request, { allowedHosts: () => ['dispatch.test'] }) ?? 'let in')
    })
    void connected(server).then(({ client }) =>
      client.end('GET / HTTP/1.1\r\nHost: dispatch.test\r\n\r\n', () => client.destroy()),
    )
  })
  expect(answer).toBe('let in')
})

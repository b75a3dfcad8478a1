import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync } from 'node:fs'
import type { Server } from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, expect, test } from 'vitest'
import { checkRequest } from './guard.ts'
import { peerOf } from './peer.ts'
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
    expect(peerOf((await connected(createServer(), host)).socket)).toBe('own')
  },
)

/** Lines of the kernel's table: a peer at the given end, as its own side has it. */
const table = (
  socket: Socket,
  { at = '0100007F', uid = process.getuid?.(), inode = '4711' } = {},
) => {
  const end = (port = 0) => `${at}:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const { remotePort, localPort } = socket
  return [`1: ${end(remotePort)} ${end(localPort)} 01 0:0 00:0 0 ${uid} 0 ${inode} 1`]
}
const OTHER_LINE = '0: 0100007F:0001 0100007F:0002 01 0:0 00:0 0 65534 0 12 1'

test.runIf(LINUX)(
  'a line that the kernel leaves out is looked for again, now and at the next request',
  async () => {
    const { socket } = await connected(createServer())
    let missed = 3
    const missing = () => (missed-- > 0 ? [OTHER_LINE] : table(socket))
    expect(peerOf(socket, () => [OTHER_LINE])).toBe('unknown')
    expect(peerOf(socket, missing)).toBe('own')
    expect(peerOf(socket, () => [])).toBe('own')
  },
)

test.runIf(LINUX)('while no file can be opened nobody is taken for ours unseen', async () => {
  const { socket } = await connected(createServer())
  const limit = (files: string) =>
    execFileSync('prlimit', ['--pid', `${process.pid}`, `--nofile=${files}:`])
  const before = execFileSync('prlimit', [
    ...['--pid', `${process.pid}`, '--nofile', '--output=SOFT', '--noheadings'],
  ])
  const open: number[] = []
  limit(`${readdirSync('/proc/self/fd').length + 100}`)
  try {
    expect(() => {
      for (;;) open.push(openSync('/dev/null', 'r'))
    }).toThrow('EMFILE')
    expect(peerOf(socket)).toBe('unknown')
  } finally {
    for (const file of open) closeSync(file)
    limit(before.toString().trim())
  }
  expect(peerOf(socket)).toBe('own')
})

test.runIf(LINUX)('another user is another user, also by an IPv4 address in IPv6', async () => {
  const mapped = { at: '0000000000000000FFFF00000100007F', uid: 65534 }
  for (const of of [{ uid: 65534 }, mapped]) {
    const { socket } = await connected(createServer())
    expect(peerOf(socket, () => table(socket, of))).toBe('foreign')
    expect(peerOf(socket)).toBe('foreign')
  }
})

test.runIf(LINUX)(
  'the table of IPv6 is read for those alone that are not in that of IPv4',
  async () => {
    const read: string[] = []
    const ask = async (has: (file: string) => boolean) => {
      const { socket } = await connected(createServer())
      return peerOf(socket, (file) => {
        read.push(file)
        return has(file) ? table(socket, { uid: 65534 }) : [OTHER_LINE]
      })
    }
    expect(await ask((file) => file === '/proc/net/tcp')).toBe('foreign')
    expect(read).toEqual(['/proc/net/tcp'])
    expect(await ask((file) => file === '/proc/net/tcp6')).toBe('foreign')
  },
)

test.runIf(LINUX)(
  'the same ports at another address, and what was left there, are no other user of this connection',
  async () => {
    const { socket } = await connected(createServer())
    const lines = [
      ...table(socket, { at: '0200007F', uid: 65534 }),
      ...table(socket, { uid: 0, inode: '0' }),
      ...table(socket),
    ]
    expect(peerOf(socket, () => lines)).toBe('own')
  },
)

test.runIf(LINUX)(
  'whoever hung up before we looked is let in by nobody, and not called another user',
  async () => {
    const { client, socket } = await connected(createServer({ allowHalfOpen: true }))
    client.destroy()
    socket.resume()
    await once(socket, 'end')
    expect(peerOf(socket)).toBe('unknown')
    const request = { socket, url: '/', rawHeaders: [], headers: { host: 'dispatch.test' } }
    const answer = checkRequest(request as never, { allowedHosts: () => ['dispatch.test'] })
    expect(answer).toMatchObject({ status: 503, code: 'user_unknown' })
  },
)

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

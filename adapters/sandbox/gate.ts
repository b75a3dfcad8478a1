import { lookup } from 'node:dns/promises'
import { closeSync, openSync, rmSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { BlockList, createConnection, isIP, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { basename, dirname, join } from 'node:path'
import type { Network } from '../../contracts/agent.ts'

/** Not imported: every runner would load it, which takes 4 ms, and few have a gate. */
const http = () => process.getBuiltinModule('node:http')

export interface GateOptions {
  /** Where it listens: a Unix socket in a folder of the run. */
  socket: string
  network: Exclude<Network, 'none'>
  /** `host` or `host:port` of the agent's model and login. */
  hosts: readonly string[]
  /** `host:port` that nobody reaches, by whatever name. */
  never?: readonly string[] | undefined
}

export interface Gate {
  close(): void
}

interface Target {
  host: string
  port: number
}

/**
 * An HTTP proxy on a Unix socket, the only way out of a sandbox: it looks names up itself and connects to the address that it judged.
 * `agent`: nothing but `hosts`. `all`: any machine but this one, so that neither Dispatch nor its databases are reached.
 */
export function openGate(options: GateOptions): Gate {
  const server = http().createServer(
    (incoming, response) => void forward(incoming, response, options),
  )
  server.on('connect', (incoming: IncomingMessage, client: Socket, head: Buffer) => {
    void tunnel(incoming, { client, head }, options)
  })
  server.on('clientError', (_error, socket) => socket.destroy())
  // without its socket the sandbox cannot be made, which says so
  server.on('error', () => undefined)
  // a socket's path may have 107 bytes; through an open folder's /proc entry it is always short
  const folder = openSync(dirname(options.socket), 'r')
  // a Unix socket is there when this returns
  server.listen(join('/proc/self/fd', String(folder), basename(options.socket)))
  closeSync(folder)
  server.unref()
  return {
    close() {
      server.close()
      server.closeAllConnections()
      rmSync(options.socket, { force: true })
    },
  }
}

async function tunnel(
  incoming: IncomingMessage,
  { client, head }: { client: Socket; head: Buffer },
  options: GateOptions,
): Promise<void> {
  client.on('error', () => client.destroy())
  const target = targetOf(`https://${incoming.url ?? ''}`)
  const address = target && (await allowedAddress(target, options))
  if (!target || !address) {
    client.end(`HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\n\r\n${refusal(incoming.url)}`)
    return
  }
  const outside = createConnection({ host: address, port: target.port })
  client.once('close', () => outside.destroy())
  outside.once('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'))
  outside.once('connect', () => {
    client.write('HTTP/1.1 200 Connection Established\r\n\r\n')
    outside.write(head)
    outside.pipe(client)
    client.pipe(outside)
  })
}

async function forward(
  incoming: IncomingMessage,
  response: ServerResponse,
  options: GateOptions,
): Promise<void> {
  const url = incoming.url ?? ''
  const target = url.startsWith('http://') ? targetOf(url) : undefined
  const address = target && (await allowedAddress(target, options))
  if (!target || !address) {
    response.writeHead(403, { 'content-type': 'text/plain' }).end(refusal(url))
    return
  }
  const { pathname, search, host } = new URL(url)
  const { 'proxy-connection': _, 'proxy-authorization': __, ...headers } = incoming.headers
  const onward = http().request({
    ...{ host: address, port: target.port, path: `${pathname}${search}` },
    ...{ method: incoming.method, headers: { ...headers, host } },
  })
  onward.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
    answer.pipe(response)
    answer.on('error', () => response.destroy())
  })
  onward.on('error', () => {
    if (response.headersSent) response.destroy()
    else response.writeHead(502).end()
  })
  response.on('close', () => onward.destroy())
  incoming.pipe(onward)
}

const refusal = (wanted = '') =>
  `The sandbox of this run does not let it reach ${wanted.slice(0, 200)}.\n`

function targetOf(url: string): Target | undefined {
  if (!URL.canParse(url)) return undefined
  const { hostname, port, protocol } = new URL(url)
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  return { host, port: Number(port || (protocol === 'http:' ? 80 : 443)) }
}

/** The address to connect to, looked up once; undefined when the run may not go there. */
async function allowedAddress(
  { host, port }: Target,
  { network, hosts, never = [] }: GateOptions,
): Promise<string | undefined> {
  const named = hosts.some((each) => each === `${host}:${port}` || (each === host && port === 443))
  if (!named && network === 'agent') return undefined
  const address = await lookup(host).then(
    (found) => found.address,
    () => undefined,
  )
  if (address === undefined || (await isNever({ host: address, port }, never))) return undefined
  return named || !isThisMachine(address) ? address : undefined
}

/** Whether one of those servers answers at the address. */
async function isNever({ host, port }: Target, never: readonly string[]): Promise<boolean> {
  const targets = never.map((each) => targetOf(`https://${each}`))
  for (const target of targets) {
    if (target?.port !== port) continue
    const found = await lookup(target.host, { all: true }).catch(() => [])
    if (found.some(({ address }) => address === host)) return true
  }
  return false
}

/** Loopback, link-local, unspecified, and every address of this machine's own. */
function isThisMachine(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  const plain = mapped ?? address
  const list = new BlockList()
  list.addSubnet('127.0.0.0', 8, 'ipv4')
  list.addSubnet('0.0.0.0', 8, 'ipv4')
  list.addSubnet('169.254.0.0', 16, 'ipv4')
  list.addAddress('::1', 'ipv6')
  list.addAddress('::', 'ipv6')
  list.addSubnet('fe80::', 10, 'ipv6')
  list.addSubnet('::ffff:0:0', 96, 'ipv6') // written otherwise than above
  for (const each of Object.values(networkInterfaces()).flat())
    if (each) list.addAddress(each.address, each.family === 'IPv4' ? 'ipv4' : 'ipv6')
  return list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4')
}

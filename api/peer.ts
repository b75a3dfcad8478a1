import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'

/** One answer per connection: who opened it does not change. */
const known = new WeakMap<Socket, boolean>()

/**
 * True when another user of this machine opened the connection, as far as /proc/net/tcp tells; false when it cannot
 * tell (no Linux, not loopback). Root may do anything anyway.
 */
export function foreignPeer(socket: Socket): boolean {
  const before = known.get(socket)
  if (before !== undefined) return before
  const uid = peerUid(socket)
  const foreign = uid !== undefined && uid !== 0 && uid !== process.getuid?.()
  known.set(socket, foreign)
  return foreign
}

function peerUid({ remoteAddress, remotePort, localPort }: Socket): number | undefined {
  if (process.platform !== 'linux' || remoteAddress !== '127.0.0.1') return undefined
  // proc(5): the peer's own line has its port as the local one; addresses are in host byte order, so only ports are compared
  const local = `:${portHex(remotePort)}`
  const remote = `:${portHex(localPort)}`
  for (const line of readTable().split('\n')) {
    const columns = line.trim().split(/\s+/)
    if (columns[1]?.endsWith(local) && columns[2]?.endsWith(remote)) return Number(columns[7])
  }
  return undefined
}

const portHex = (port = 0) => port.toString(16).toUpperCase().padStart(4, '0')

function readTable(): string {
  try {
    return readFileSync('/proc/net/tcp', 'utf8')
  } catch {
    return '' // a sandbox without /proc: it cannot tell
  }
}

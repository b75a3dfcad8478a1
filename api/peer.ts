import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'

/** One answer per connection: who opened it does not change, but can only be told while it is open. */
const known = new WeakMap<Socket, boolean>()

const LOOPBACK = /^(::ffff:)?127\.|^::1$/
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6']
const ROOT = 0

/**
 * True when another user of this machine opened the connection, as far as /proc/net/tcp tells; false when it cannot
 * tell (no Linux, not loopback). Root may do anything anyway. Ask when the connection opens: one that was hung up
 * belongs to nobody any more, and counts as another's.
 */
export function foreignPeer(socket: Socket): boolean {
  const foreign = known.get(socket) ?? isForeign(socket)
  known.set(socket, foreign)
  return foreign
}

function isForeign(socket: Socket): boolean {
  const me = process.getuid?.()
  if (process.platform !== 'linux' || me === undefined) return false
  if (socket.remoteAddress !== undefined && !LOOPBACK.test(socket.remoteAddress)) return false
  let owners = ownersOf(socket)
  // the kernel writes the table piece by piece: a line may be missed while others come and go
  if (owners?.length === 0) owners = ownersOf(socket)
  if (owners === undefined) return false
  return owners.length === 0 || owners.some((owner) => !isTrusted(owner, me))
}

/** Who holds the other end, as proc(5) has it. */
interface Owner {
  uid: number
  inode: string
}

/** A socket that nobody holds any more has no inode, and may be written down as root's. */
const isTrusted = ({ uid, inode }: Owner, me: number) => inode !== '0' && [ROOT, me].includes(uid)

/**
 * The peer's own lines have its port as the local one; addresses are in host byte order, so only ports are compared.
 * Undefined where there is no such table, as in some sandboxes.
 */
function ownersOf({ remotePort, localPort }: Socket): Owner[] | undefined {
  const tables = TABLES.flatMap(readTable)
  if (tables.length === 0) return undefined
  const local = `:${portHex(remotePort)}`
  const remote = `:${portHex(localPort)}`
  return tables.flatMap((line) => {
    const columns = line.trim().split(/\s+/)
    if (!columns[1]?.endsWith(local) || !columns[2]?.endsWith(remote)) return []
    return [{ uid: Number(columns[7]), inode: columns[9] ?? '0' }]
  })
}

const portHex = (port = 0) => port.toString(16).toUpperCase().padStart(4, '0')

function readTable(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch {
    return [] // without IPv6 there is only the first; without /proc neither
  }
}

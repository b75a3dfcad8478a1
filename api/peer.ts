import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { endianness } from 'node:os'
import { isPassing } from '../domain/passing.ts'

/** Whose a connection is; `unknown` while /proc/net/tcp does not have its other end. */
export type Peer = 'own' | 'foreign' | 'unknown'

/** One answer per connection: who opened it does not change, but can only be told while it is open. */
const known = new WeakMap<Socket, Peer>()

const LOOPBACK = /^(::ffff:)?127\.|^::1$/
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6']
const ROOT = 0
const LOOKS = 5

/**
 * Whether another user of this machine opened the connection, as far as /proc/net/tcp tells; `own` where it never can (no Linux,
 * not loopback). Root may do anything anyway. The kernel writes the table piece by piece, so a line may be missed while others come
 * and go: what is not known is looked up some times, and again when asked again. Ask when the connection opens: one that was hung up
 * belongs to nobody any more, and stays unknown.
 */
export function peerOf(socket: Socket, read = readTable): Peer {
  let peer = known.get(socket) ?? lookUp(socket, read)
  for (let looks = 1; peer === 'unknown' && looks < LOOKS; looks += 1) peer = lookUp(socket, read)
  if (peer !== 'unknown') known.set(socket, peer)
  return peer
}

function lookUp(socket: Socket, read: typeof readTable): Peer {
  const me = process.getuid?.()
  if (process.platform !== 'linux' || me === undefined) return 'own'
  if (socket.remoteAddress === undefined) return 'unknown'
  if (!LOOPBACK.test(socket.remoteAddress)) return 'own'
  let isTold = false
  // a connection is in one of them, and the kernel takes milliseconds to write each
  for (const file of TABLES) {
    const lines = read(file)
    isTold ||= lines.length > 0
    const owners = ownersOf(socket, lines)
    if (owners.length > 0)
      return owners.every((uid) => uid === ROOT || uid === me) ? 'own' : 'foreign'
  }
  return isTold ? 'unknown' : 'own' // there is no such table, as in some sandboxes
}

/** Users of the sockets at the other end, as proc(5) has them. One that nobody holds any more has no inode, and says it is root's. */
function ownersOf(socket: Socket, lines: readonly string[]): number[] {
  const local = endOf(socket.remoteAddress, socket.remotePort)
  const remote = endOf(socket.localAddress, socket.localPort)
  return lines.flatMap((line) => {
    const columns = line.trim().split(/\s+/)
    if (normalEnd(columns[1]) !== local || normalEnd(columns[2]) !== remote) return []
    return columns[9] === '0' ? [] : [Number(columns[7])]
  })
}

/** An end as the table has it, IPv4 in IPv6 as IPv4. */
function endOf(address = '', port = 0): string {
  const bytes =
    address === '::1'
      ? [...Array(15).fill(0), 1]
      : address.replace('::ffff:', '').split('.').map(Number)
  return `${hostOrder(Buffer.from(bytes))}:${port.toString(16).toUpperCase().padStart(4, '0')}`
}

const MAPPED = hostOrder(Buffer.from([...Array(10).fill(0), 0xff, 0xff]))
const normalEnd = (end = '') => (end.startsWith(MAPPED) ? end.slice(MAPPED.length) : end)

/** Addresses are written as numbers of the machine, four bytes each. */
function hostOrder(address: Buffer): string {
  return (endianness() === 'LE' ? address.swap32() : address).toString('hex').toUpperCase()
}

function readTable(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch (error) {
    // one that cannot be opened now (too many files are) tells nothing of anybody; without IPv6 there is only the first, without /proc neither
    return isPassing(error) ? [''] : []
  }
}

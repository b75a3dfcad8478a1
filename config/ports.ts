import { createServer } from 'node:net'

/** `preferred` when nothing listens there on `host`, else one of the next 20, else any free port. */
export async function freePort(preferred = 0, host = '127.0.0.1'): Promise<number> {
  const wanted = preferred === 0 ? [] : Array.from({ length: 20 }, (_, i) => preferred + i)
  for (const port of wanted.filter((p) => p < 65_536)) {
    if (await canListen(port, host)) return port
  }
  const port = await canListen(0, host)
  if (!port) throw new Error(`no free TCP port on ${host}`)
  return port
}

function canListen(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, host, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined))
    })
  })
}

/** `host:port` under which this machine reaches what listens on `host`; a name for all addresses is none to go to. */
export function reachableAt(host: string, port: number): string {
  const name = { '0.0.0.0': '127.0.0.1', '::': '::1' }[host] ?? host.toLowerCase()
  return `${name.includes(':') ? `[${name}]` : name}:${port}`
}

/** Whether `host`, as it stands in an address, is this machine and no other reaches it. */
export function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/i.test(host)
}

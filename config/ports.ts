import { createServer } from 'node:net'

/** `preferred` when nothing listens there on 127.0.0.1, else one of the next 20, else any free port. */
export async function freePort(preferred = 0): Promise<number> {
  const wanted = preferred === 0 ? [] : Array.from({ length: 20 }, (_, i) => preferred + i)
  for (const port of wanted.filter((p) => p < 65_536)) {
    if (await canListen(port)) return port
  }
  const port = await canListen(0)
  if (!port) throw new Error('no free TCP port on 127.0.0.1')
  return port
}

function canListen(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined))
    })
  })
}

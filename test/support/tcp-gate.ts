import { createServer, connect as dial, type Server, type Socket } from 'node:net'

/** A way to a server that can be closed and opened again: what comes through it sees the server go away, or hang. */
export interface TcpGate {
  /** `host:port` to use instead of the server's. */
  address: string
  /** Breaks what is connected and lets nobody in. */
  close(): Promise<void>
  open(): Promise<void>
  /** Lets nothing more through of what is connected. */
  hold(): void
}

export async function startTcpGate(target: string): Promise<TcpGate> {
  const [host = '', port = ''] = target.split(':')
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    // that the other side went away is what a gate is for
    socket.on('error', () => socket.destroy())
    socket.once('close', () => sockets.delete(socket))
  }
  let server: Server
  const listen = (at: number) =>
    new Promise<number>((resolve, reject) => {
      server = createServer((incoming) => {
        const outgoing = dial(Number(port), host)
        for (const socket of [incoming, outgoing]) keep(socket)
        incoming.pipe(outgoing).pipe(incoming)
      })
      server.once('error', reject)
      server.listen(at, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
    })
  const own = await listen(0)
  return {
    address: `127.0.0.1:${own}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
    open: async () => void (await listen(own)),
    hold() {
      for (const socket of sockets) socket.unpipe().pause()
    },
  }
}

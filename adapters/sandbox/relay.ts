import { spawn } from 'node:child_process'
import { createConnection, createServer } from 'node:net'

/**
 * Runs inside a sandbox as the parent of the agent: there is no network but a loopback of its own, and what is sent to a port there goes through
 * a Unix socket to the gate outside, which decides. Usage: `relay <socket> <port> <command> [args...]`; ends as the command ends.
 */
const [socket = '', port = '', command = '', ...args] = process.argv.slice(2)
if (!socket || !port || !command)
  throw new Error('usage: relay <socket> <port> <command> [args...]')

const server = createServer((inside) => {
  const outside = createConnection(socket)
  const end = () => {
    inside.destroy()
    outside.destroy()
  }
  inside.on('error', end)
  outside.on('error', end)
  inside.pipe(outside).pipe(inside)
})
server.listen(Number(port), '127.0.0.1', () => {
  const agent = spawn(command, args, { stdio: 'inherit' })
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => agent.kill(name))
  agent.once('error', (error) => {
    process.stderr.write(`${error.message}\n`)
    process.exit(127)
  })
  agent.once('exit', (code, signal) => {
    if (signal) {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    } else process.exit(code ?? 1)
  })
})

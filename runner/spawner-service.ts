import { mkdirSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { createLineSplitter } from '../adapters/line-splitter.ts'
import { createRunnerStarter } from './runner-starter.ts'
import { connectToService, serviceSocket } from './service-spawner.ts'
import type { SpawnReply, SpawnRequest } from './spawner-messages.ts'

/**
 * The spawner as a service of its own, for workers in containers: what a container started ends with it, so runners that
 * are to outlive a worker are started by another one; and so are checks, for what an agent wrote is not to run beside the
 * worker's secrets. Usage: `spawner-service <DISPATCH_HOME> <runner.cjs>`; it listens on a Unix socket in that home, which
 * all its workers see, and shares their process table. Exit 75: another one serves it.
 */
const [home = '', runnerProgram = ''] = process.argv.slice(2)
if (!home || !runnerProgram) throw new Error('usage: spawner-service <DISPATCH_HOME> <runner.cjs>')

async function main(): Promise<void> {
  process.umask(0o077)
  mkdirSync(home, { recursive: true })
  const path = serviceSocket(home)
  const other = await connectToService(home).catch(() => undefined)
  if (other) {
    other.destroy()
    say(`another spawner service already serves ${home}`)
    process.exit(75)
  }
  // left by one that was killed: nobody listens there
  rmSync(path, { force: true })
  const starter = createRunnerStarter(runnerProgram)
  const server = createServer((socket) => serve(socket, starter))
  server.listen(path, () => {
    say(`runs and checks are started here, asked for at ${path}`)
    process.send?.({ type: 'ready' })
  })
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.once(name, () => {
      rmSync(path, { force: true })
      process.exit(0) // runs go on, unless the container ends with us
    })
}

/** A line for each request and each answer, in JSON. A connection is of one order: when it closes, nobody wants a check any more. */
function serve(socket: Socket, starter: ReturnType<typeof createRunnerStarter>): void {
  const splitter = createLineSplitter()
  const unwanted = new AbortController()
  // a worker that goes away asks again when it is back: a run is claimed only once
  socket.on('error', () => socket.destroy())
  socket.on('close', () => unwanted.abort())
  socket.on('data', (chunk) => {
    for (const { text } of splitter.push(chunk)) {
      const request = parse(text)
      if (!request) return void socket.destroy()
      if ('unwanted' in request) return unwanted.abort()
      void starter.assign(request, unwanted.signal).then((result) => {
        if (socket.writable)
          socket.write(`${JSON.stringify({ n: 1, result } satisfies SpawnReply)}\n`)
        starter.warmUp()
      })
    }
  })
}

function parse(text: string): SpawnRequest | undefined {
  try {
    const request = JSON.parse(text) as SpawnRequest
    if ('unwanted' in request) return request
    const { runId, dir } = request
    // nobody but our workers reaches the socket; this keeps a bug from starting a runner elsewhere
    return typeof runId === 'string' && dir === `${home}/runs/${runId}` ? request : undefined
  } catch {
    return undefined
  }
}

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`)
}

void main()

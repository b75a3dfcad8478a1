import { mkdirSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { createLineSplitter } from '../adapters/line-splitter.ts'
import { createRunnerStarter } from './runner-starter.ts'
import { connectToService, serviceSocket } from './service-spawner.ts'
import type { Assignment, SpawnReply } from './spawner-messages.ts'

/**
 * The spawner as a service of its own, for workers in containers: what a container started ends with it, so runners that
 * are to outlive a worker are started by another one. Usage: `spawner-service <DISPATCH_HOME> <runner.js>`; it listens on a
 * Unix socket in that home, which all its workers see, and shares their process table. Exit 75: another one serves it.
 */
const [home = '', runnerProgram = ''] = process.argv.slice(2)
if (!home || !runnerProgram) throw new Error('usage: spawner-service <DISPATCH_HOME> <runner.js>')

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
    say(`runs are started here, asked for at ${path}`)
    process.send?.({ type: 'ready' })
  })
  for (const name of ['SIGTERM', 'SIGINT'] as const)
    process.once(name, () => {
      rmSync(path, { force: true })
      process.exit(0) // runs go on, unless the container ends with us
    })
}

/** A line for each request and each answer, in JSON; a client asks one thing at a time. */
function serve(socket: Socket, starter: ReturnType<typeof createRunnerStarter>): void {
  const splitter = createLineSplitter()
  // a worker that goes away asks again when it is back: a run is claimed only once
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    for (const { text } of splitter.push(chunk)) {
      const assignment = parse(text)
      if (!assignment) return void socket.destroy()
      void starter.assign(assignment).then((result) => {
        if (socket.writable)
          socket.write(`${JSON.stringify({ n: 1, result } satisfies SpawnReply)}\n`)
        starter.warmUp()
      })
    }
  })
}

function parse(text: string): Assignment | undefined {
  try {
    const { runId, dir } = JSON.parse(text)
    // nobody but our workers reaches the socket; this keeps a bug from starting a runner elsewhere
    const known = typeof runId === 'string' && dir === `${home}/runs/${runId}`
    return known ? { runId, dir } : undefined
  } catch {
    return undefined
  }
}

function say(line: string): void {
  process.stderr.write(`${new Date().toISOString()} ${line}\n`)
}

void main()

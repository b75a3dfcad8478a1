import type { HostReply, HostRequest } from './host-messages.ts'
import { directProcesses } from './processes.ts'

/**
 * The git host: starts git on behalf of the worker, because a process stands still while it spawns, in proportion to its
 * memory, and this one is small. Has an IPC channel and ends with it; a git that is at work then ends by itself.
 */
const reply = (message: HostReply) => void process.send?.(message)

async function answer(request: HostRequest): Promise<void> {
  if (request.type === 'ping') return reply(request)
  const { n } = request
  switch (request.type) {
    case 'run':
      return reply({ n, type: 'run', end: await directProcesses.run(request.command) })
    case 'stream': {
      const onChunk = (chunk: Buffer) => reply({ n, type: 'chunk', chunk })
      return reply({
        n,
        type: 'stream',
        end: await directProcesses.stream(request.command, onChunk),
      })
    }
    case 'pipe':
      return reply({
        n,
        type: 'pipe',
        end: await directProcesses.pipe(request.from, request.into),
      })
    default:
      return request satisfies never
  }
}

process.on('message', (request: HostRequest) => void answer(request))
process.once('disconnect', () => process.exit(0))
// The worker may have gone before this line was reached.
if (!process.connected) process.exit(0)
// Ctrl-C in a terminal goes to the whole group: the worker decides when we end.
for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => undefined)

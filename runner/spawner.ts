import { createRunnerStarter } from './runner-starter.ts'
import type { SpawnReply, SpawnRequest } from './spawner-messages.ts'

/**
 * The spawner: starts runners on behalf of the worker, because a process is blocked by a spawn in proportion to its memory, and this
 * one is small. One runner is always started in advance. Usage: `spawner <runner.cjs>`, with an IPC channel; it ends with that channel,
 * and so do the runner in waiting and the checks. Runners that have a run live on.
 */
const [runnerProgram] = process.argv.slice(2)
if (runnerProgram === undefined) throw new Error('usage: spawner <runner.cjs>')

const starter = createRunnerStarter(runnerProgram)
const asked = new Map<number, AbortController>()
process.on('message', (request: SpawnRequest) => {
  const { n } = request
  if ('unwanted' in request) return asked.get(n)?.abort()
  const unwanted = new AbortController()
  asked.set(n, unwanted)
  void starter.assign(request, unwanted.signal).then((result) => {
    asked.delete(n)
    process.send?.({ n, result } satisfies SpawnReply)
    starter.warmUp()
  })
})
process.once('disconnect', () => process.exit(0))
// The worker may have gone before this line was reached.
if (!process.connected) process.exit(0)
// Ctrl-C in a terminal goes to the whole group: the worker decides when we end.
for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => undefined)

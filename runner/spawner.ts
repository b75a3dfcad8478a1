import { type ChildProcess, spawn } from 'node:child_process'
import type { RunnerReply, SpawnReply, SpawnRequest } from './spawner-messages.ts'

/**
 * The spawner: starts runners on behalf of the worker, because a process is blocked by a spawn in proportion to its memory, and this
 * one is small. One runner is always started in advance. Usage: `spawner <runner.js>`, with an IPC channel; it ends with that channel,
 * and so does the runner in waiting. Runners that have a run live on.
 */
const [runnerProgram] = process.argv.slice(2)
if (runnerProgram === undefined) throw new Error('usage: spawner <runner.js>')
const program: string = runnerProgram

let warm: ChildProcess | undefined = startRunner()
process.on('message', (request: SpawnRequest) => {
  const runner = warm ?? startRunner()
  warm = undefined
  void assign(runner, request).then(answer)
})
process.once('disconnect', () => process.exit(0))
// The worker may have gone before this line was reached.
if (!process.connected) process.exit(0)
// Ctrl-C in a terminal goes to the whole group: the worker decides when we end.
for (const name of ['SIGINT', 'SIGHUP'] as const) process.on(name, () => undefined)

function startRunner(): ChildProcess {
  process.umask(0o077)
  const runner = spawn(process.execPath, [program], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    env: {},
  })
  runner.once('exit', () => {
    if (warm === runner) warm = undefined
  })
  return runner
}

async function assign(runner: ChildProcess, request: SpawnRequest): Promise<SpawnReply> {
  const { n, runId, dir } = request
  return new Promise((resolve) => {
    const settle = (result: SpawnReply['result']) => resolve({ n, result })
    runner.once('message', (reply: RunnerReply) => settle(reply))
    runner.once('error', (error) => settle({ error: error.message }))
    runner.once('exit', (code, signal) =>
      settle({ error: `the runner ended with ${signal ?? `code ${code}`} before it took the run` }),
    )
    runner.send({ runId, dir }, (error) => {
      if (error) settle({ error: error.message })
    })
  })
}

function answer(reply: SpawnReply): void {
  process.send?.(reply)
  // After the answer, so that the start just made does not wait for the next one's.
  warm ??= startRunner()
}

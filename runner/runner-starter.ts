import { type ChildProcess, spawn } from 'node:child_process'
import type { Assignment, RunnerReply, SpawnReply } from './spawner-messages.ts'

/** Starts detached runners, one of which is always kept ready in advance. */
export interface RunnerStarter {
  /** Gives the run to a runner; resolves when it has taken it, or says why none could. Never rejects. */
  assign(assignment: Assignment): Promise<SpawnReply['result']>
  /** Starts the next one in advance; for after the answer, so that the start just made does not wait for it. */
  warmUp(): void
}

/** `program`: the built `runner.js`. The runner in waiting ends with this process; runners that have a run live on. */
export function createRunnerStarter(program: string): RunnerStarter {
  let warm: ChildProcess | undefined

  const start = (): ChildProcess => {
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
  warm = start()
  return {
    assign({ runId, dir }) {
      const runner = warm ?? start()
      warm = undefined
      return new Promise((resolve) => {
        runner.once('message', (reply: RunnerReply) => resolve(reply))
        runner.once('error', (error) => resolve({ error: error.message }))
        runner.once('exit', (code, signal) =>
          resolve({
            error: `the runner ended with ${signal ?? `code ${code}`} before it took the run`,
          }),
        )
        runner.send({ runId, dir }, (error) => {
          if (error) resolve({ error: error.message })
        })
      })
    },
    warmUp() {
      warm ??= start()
    },
  }
}

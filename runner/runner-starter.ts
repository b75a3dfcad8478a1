import type { ChildProcess } from 'node:child_process'
import { spawnGivingWay } from './giving-way.ts'
import { isCheck, type Order, type Reply } from './spawner-messages.ts'

/** Starts detached runners, one of which is always kept ready in advance. */
export interface RunnerStarter {
  /**
   * Gives the order to a runner; resolves when it has taken the run or has ended the check, or says why none could. Never
   * rejects. Once `unwanted` is aborted a check is ended; a run goes on, for whoever attaches to it.
   */
  assign(order: Order, unwanted: AbortSignal): Promise<Reply>
  /** Starts the next one in advance; for after the answer, so that the start just made does not wait for it. */
  warmUp(): void
}

/** `program`: the built `runner.cjs`. The runner in waiting ends with this process; runners that have a run live on. */
export function createRunnerStarter(program: string): RunnerStarter {
  let warm: ChildProcess | undefined

  const start = (): ChildProcess => {
    process.umask(0o077)
    const runner = spawnGivingWay(process.execPath, [program], {
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
    assign(order, unwanted) {
      const runner = warm ?? start()
      warm = undefined
      // a runner of a check lives as long as its channel
      const letGo = () => {
        if (isCheck(order) && runner.connected) runner.disconnect()
      }
      const reply = new Promise<Reply>((resolve) => {
        runner.once('message', (reply: Reply) => resolve(reply))
        runner.once('error', (error) => resolve({ error: error.message }))
        runner.once('exit', (code, signal) =>
          resolve({
            error: `the runner ended with ${signal ?? `code ${code}`} before it answered`,
          }),
        )
        runner.send(order, (error) => {
          if (error) resolve({ error: error.message })
        })
        if (unwanted.aborted) letGo()
        else unwanted.addEventListener('abort', letGo, { once: true })
      })
      // it may take minutes, and the next run is not to wait for a start
      if (isCheck(order)) warm = start()
      return reply.finally(letGo)
    },
    warmUp() {
      warm ??= start()
    },
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Assignment, RunnerReply, SpawnReply } from './spawner-messages.ts'

export interface SpawnerClient {
  launch(assignment: Assignment): Promise<RunnerReply>
  close(): Promise<void>
}

export interface SpawnerOptions {
  home: string
  /** Built programs. */
  entry: { runner: string; spawner: string }
  /** Have runners started by the home's spawner service instead of a child of this process. */
  spawnerService?: boolean
}

/** A runner takes a run within a second; one that does not in so long hangs. To ask again is safe: a run is claimed only once. */
export const ANSWER_MS = 30_000
export const NO_ANSWER = `no runner took it within ${ANSWER_MS / 1000} s`

/** Starts the spawner at once, and again when it died: an assignment can be repeated safely, because a run is claimed only once. */
export function createSpawnerClient({ home, entry }: SpawnerOptions): SpawnerClient {
  const waiting = new Map<number, { resolve(r: SpawnReply['result']): void }>()
  let next = 1
  let spawner: { child: ChildProcess; lost(error: string): void } | undefined
  let closed = false

  const start = () => {
    const child = spawnSpawner(home, entry)
    const lost = (error: string) => {
      if (spawner?.child !== child) return
      spawner = undefined
      for (const { resolve } of waiting.values()) resolve({ error })
      waiting.clear()
    }
    child.on('message', ({ n, result }: SpawnReply) => {
      waiting.get(n)?.resolve(result)
      waiting.delete(n)
    })
    child.once('error', (error) => lost(error.message))
    child.once('exit', (code, signal) => lost(`the spawner ended with ${signal ?? `code ${code}`}`))
    // The worker's own work keeps it alive, not its spawner.
    child.unref()
    child.channel?.unref()
    spawner = { child, lost }
    return spawner
  }
  const ask = (assignment: Assignment): Promise<SpawnReply['result']> => {
    const { child, lost } = spawner ?? start()
    const n = next++
    child.channel?.ref()
    let late: NodeJS.Timeout
    return new Promise<SpawnReply['result']>((resolve) => {
      waiting.set(n, { resolve })
      // the next one asks a new spawner, and so does everybody who waits for this one
      late = setTimeout(() => {
        lost(NO_ANSWER)
        child.kill('SIGKILL')
      }, ANSWER_MS)
      child.send({ ...assignment, n }, (error) => {
        if (error) resolve({ error: error.message })
      })
    }).finally(() => {
      clearTimeout(late)
      waiting.delete(n)
      if (waiting.size === 0) child.channel?.unref()
    })
  }
  start()
  return {
    async launch(assignment) {
      if (closed) throw new Error('the runner client is closed')
      const first = await ask(assignment)
      const result = typeof first === 'string' ? first : await ask(assignment)
      if (typeof result === 'string') return result
      throw new Error(`run ${assignment.runId} could not be started: ${result.error}`)
    },
    async close() {
      closed = true
      const child = spawner?.child
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.ref()
      if (child.connected) child.disconnect()
      await ended
    },
  }
}

function spawnSpawner(home: string, entry: SpawnerOptions['entry']): ChildProcess {
  const logs = join(home, 'logs')
  mkdirSync(logs, { recursive: true, mode: 0o700 })
  const log = openSync(join(logs, 'runner.log'), 'a', 0o600)
  try {
    return spawn(process.execPath, [entry.spawner, entry.runner], {
      stdio: ['ignore', 'ignore', log, 'ipc'],
      env: {},
    })
  } finally {
    closeSync(log)
  }
}

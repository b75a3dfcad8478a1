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

/** Starts the spawner at once, and again when it died: an assignment can be repeated safely, because a run is claimed only once. */
export function createSpawnerClient({ home, entry }: SpawnerOptions): SpawnerClient {
  const waiting = new Map<number, { resolve(r: SpawnReply['result']): void }>()
  let next = 1
  let spawner: ChildProcess | undefined
  let closed = false

  const start = () => {
    const child = spawnSpawner(home, entry)
    const lost = (error: string) => {
      if (spawner === child) spawner = undefined
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
    spawner = child
    return child
  }
  const ask = (assignment: Assignment): Promise<SpawnReply['result']> => {
    const child = spawner ?? start()
    const n = next++
    child.channel?.ref()
    return new Promise<SpawnReply['result']>((resolve) => {
      waiting.set(n, { resolve })
      child.send({ ...assignment, n }, (error) => {
        if (error) resolve({ error: error.message })
      })
    }).finally(() => {
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
      const child = spawner
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

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { afterPatience } from '../contracts/patience.ts'
import { type Asking, noAnswer, type SpawnerClient, spawnerClient } from './ask-spawner.ts'
import type { Order, Reply, SpawnReply, SpawnRequest } from './spawner-messages.ts'

export interface SpawnerOptions {
  home: string
  /** Built programs. */
  entry: { runner: string; spawner: string }
  /** Have runners started by the home's spawner service instead of a child of this process. */
  spawnerService?: boolean
}

/** Starts the spawner at once, and again when it died: an assignment can be repeated safely, because a run is claimed only once. */
export function createSpawnerClient({ home, entry }: SpawnerOptions): SpawnerClient {
  const waiting = new Map<number, { resolve(reply: Reply): void }>()
  let next = 1
  let spawner: { child: ChildProcess; lost(error: string): void } | undefined

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
  const ask = (order: Order, { seconds, signal }: Asking): Promise<Reply> => {
    const { child, lost } = spawner ?? start()
    const n = next++
    child.channel?.ref()
    let stopWaiting: () => void
    // of one that is gone by now the end is told by `lost`
    const unwanted = () =>
      void child.send({ n, unwanted: true } satisfies SpawnRequest, () => undefined)
    return new Promise<Reply>((resolve) => {
      waiting.set(n, { resolve })
      // the next one asks a new spawner, and so does everybody who waits for this one
      const giveUp = (why: string) => {
        lost(why)
        child.kill('SIGKILL')
      }
      stopWaiting = afterPatience(seconds, () => giveUp(noAnswer(seconds)))
      // a pipe breaks before the end of who read it is told
      child.send({ ...order, n } satisfies SpawnRequest, (error) => {
        if (error) giveUp(error.message)
      })
      signal?.addEventListener('abort', unwanted, { once: true })
    }).finally(() => {
      stopWaiting()
      signal?.removeEventListener('abort', unwanted)
      waiting.delete(n)
      if (waiting.size === 0) child.channel?.unref()
    })
  }
  start()
  return spawnerClient({
    ask,
    async close() {
      const child = spawner?.child
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.ref()
      if (child.connected) child.disconnect()
      await ended
    },
  })
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

import { type ChildProcess, spawn } from 'node:child_process'
import type { HostReply, HostRequest } from './host-messages.ts'
import type { GitCommand, GitProcesses } from './processes.ts'

interface Waiting {
  onChunk?: ((chunk: Buffer) => void) | undefined
  done(end: unknown): void
  failed(error: Error): void
}

type Ask = HostRequest extends infer One
  ? One extends { n: number }
    ? Omit<One, 'n'>
    : never
  : never

/** Starts git in a host process of its own (`entry`: its built program), which is started again when it died. */
export function createHostedProcesses(entry: string): GitProcesses {
  const waiting = new Map<number, Waiting>()
  let next = 1
  let host: ChildProcess | undefined

  const start = () => {
    const child = spawn(process.execPath, [entry], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: {},
    })
    const lost = (why: string) => {
      if (host !== child) return
      host = undefined
      // whoever asked does it again from the start: that is how a killed worker's work goes on, too
      const error = Object.assign(new Error(`the git host ${why}`), { code: 'EPIPE' })
      for (const { failed } of waiting.values()) failed(error)
      waiting.clear()
    }
    child.on('message', (reply: HostReply) => {
      if (reply.type === 'chunk') return waiting.get(reply.n)?.onChunk?.(Buffer.from(reply.chunk))
      const asked = waiting.get(reply.n)
      waiting.delete(reply.n)
      if (waiting.size === 0) child.channel?.unref()
      asked?.done(reply.end)
    })
    child.once('error', (error) => lost(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => lost(`ended with ${signal ?? `code ${code}`}`))
    // The worker's own work keeps it alive, not its host.
    child.unref()
    child.channel?.unref()
    host = child
    return child
  }
  const ask = <T>(request: Ask, onChunk?: (chunk: Buffer) => void) =>
    new Promise<T>((done, failed) => {
      const child = host ?? start()
      const n = next++
      waiting.set(n, { onChunk, done: done as (end: unknown) => void, failed })
      child.channel?.ref()
      child.send({ ...request, n }, (error) => {
        if (!error || !waiting.delete(n)) return
        failed(error)
      })
    })
  start()
  return {
    run: async (command) => {
      const end = await ask<Awaited<ReturnType<GitProcesses['run']>>>({ type: 'run', command })
      return { ...end, stdout: Buffer.from(end.stdout) }
    },
    stream: (command: GitCommand, onChunk) => ask({ type: 'stream', command }, onChunk),
    pipe: (from, into) => ask({ type: 'pipe', from, into }),
    close() {
      const child = host
      host = undefined
      if (child?.connected) child.disconnect()
    },
  }
}

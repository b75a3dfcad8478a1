import { type ChildProcess, spawn } from 'node:child_process'
import { createPatience } from '../contracts/patience.ts'
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

/** A host only waits for its gits, so it answers at once; one that does not in so long hangs. */
const SILENT_SECONDS = 30
const TURN_MS = 1000

/** Starts git in a host process of its own (`entry`: its built program), which is started again when it died or hangs. */
export function createHostedProcesses(entry: string): GitProcesses {
  const waiting = new Map<number, Waiting>()
  let next = 1
  let host: { child: ChildProcess; attention: ReturnType<typeof attentionTo> } | undefined

  const start = () => {
    const child = spawn(process.execPath, [entry], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
      env: {},
    })
    const lost = (why: string) => {
      if (host?.child !== child) return
      host = undefined
      attention.rest()
      // whoever asked does it again from the start: that is how a killed worker's work goes on, too
      const error = Object.assign(new Error(`the git host ${why}`), { code: 'EPIPE' })
      for (const { failed } of waiting.values()) failed(error)
      waiting.clear()
    }
    const attention = attentionTo(child, () => {
      lost(`did not answer for ${SILENT_SECONDS} s and was ended`)
      child.kill('SIGKILL')
    })
    child.on('message', (reply: HostReply) => {
      if (reply.type === 'ping') return attention.heard()
      if (reply.type === 'chunk') return waiting.get(reply.n)?.onChunk?.(Buffer.from(reply.chunk))
      const asked = waiting.get(reply.n)
      waiting.delete(reply.n)
      if (waiting.size === 0) attention.rest()
      asked?.done(reply.end)
    })
    child.once('error', (error) => lost(`could not be started: ${error.message}`))
    child.once('exit', (code, signal) => lost(`ended with ${signal ?? `code ${code}`}`))
    // The worker's own work keeps it alive, not its host.
    child.unref()
    attention.rest()
    host = { child, attention }
    return host
  }
  const ask = <T>(request: Ask, onChunk?: (chunk: Buffer) => void) =>
    new Promise<T>((done, failed) => {
      const { child, attention } = host ?? start()
      const n = next++
      waiting.set(n, { onChunk, done: done as (end: unknown) => void, failed })
      attention.pay()
      child.send({ ...request, n }, (error) => {
        if (!error || !waiting.delete(n)) return
        if (waiting.size === 0) attention.rest()
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
      const { child, attention } = host ?? {}
      host = undefined
      attention?.rest()
      if (child?.connected) child.disconnect()
    },
  }
}

/** While somebody waits for the host: keeps this process alive, and asks the host for a sign of life. */
function attentionTo(child: ChildProcess, onSilent: () => void) {
  const patience = createPatience(SILENT_SECONDS, TURN_MS)
  let timer: NodeJS.Timeout | undefined
  const look = () => {
    if (patience.turn()) onSilent()
    else child.send({ type: 'ping' } satisfies HostRequest, () => undefined)
  }
  return {
    pay() {
      child.channel?.ref()
      if (timer) return
      patience.again()
      timer = setInterval(look, TURN_MS)
    },
    heard: patience.again,
    rest() {
      child.channel?.unref()
      clearInterval(timer)
      timer = undefined
    },
  }
}

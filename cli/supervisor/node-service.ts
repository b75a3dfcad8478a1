import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, existsSync, fstatSync, openSync, readFileSync } from 'node:fs'
import { STANDBY_VARIABLE, type StandbyMessage } from '../../config/standby.ts'
import type { RunningService } from './supervise.ts'

/** What a server says over IPC when it serves; `port` is where: the API, and the worker with its metrics. */
interface Ready {
  type: 'ready'
  port?: number
}

export interface NodeService extends RunningService {
  port: number | undefined
}

export interface NodeServiceOptions {
  /** For messages: "worker". */
  name: string
  /** Script that sends `Ready` over IPC when it serves, and ends on SIGTERM and on 'disconnect'. */
  entry: string
  env: Record<string, string | undefined>
  /** Where what it prints outside its own log goes, such as the trace of a crash; without it, to where we print. */
  outFile: string | undefined
  /** Gives the start up; the server has ended then. */
  signal?: AbortSignal
  readyMs?: number
  graceMs?: number
}

/** Of sysexits.h: our servers end with them when a person must change something first, or start what they need elsewhere. */
const TOLD = [69, 78]

/** Its message has the server's last words. */
export class ServiceDidNotStart extends Error {
  readonly exitCode: number
  constructor(message: string, childExit: number | null) {
    super(message)
    this.exitCode = childExit !== null && TOLD.includes(childExit) ? childExit : 1
  }
}

/** A server that has been started ahead of what it needs: it loads its code meanwhile. */
export interface NodeServiceAhead {
  /** Tells it the rest of its settings and waits until it is ready, as `startNodeService` does. */
  start(env: Record<string, string | undefined>, signal: AbortSignal): Promise<NodeService>
  /** Ends it, if it was not started. */
  discard(): Promise<void>
}

export function prepareNodeService(options: NodeServiceOptions): NodeServiceAhead {
  const spawned = spawnService({ ...options, env: { ...options.env, [STANDBY_VARIABLE]: '1' } })
  let started = false
  return {
    start(env, signal) {
      started = true
      const known = Object.entries(env).filter(([, value]) => value !== undefined)
      const settings = { type: 'settings', env: Object.fromEntries(known) } as StandbyMessage
      // one that has ended meanwhile is told of below
      spawned.child.send(settings, () => undefined)
      return untilReady({ ...options, signal }, spawned)
    },
    async discard() {
      if (started) return
      spawned.child.kill('SIGKILL')
      await spawned.exited
    },
  }
}

/**
 * Starts one of our servers and waits until it says that it is ready. Throws with its last words when it does not.
 * Detached, so that Ctrl-C reaches the supervisor alone, which then ends them in order.
 */
export async function startNodeService(options: NodeServiceOptions): Promise<NodeService> {
  return untilReady(options, spawnService(options))
}

interface Spawned {
  child: ChildProcess
  exited: Promise<string>
  /** How much was in its `outFile` before. */
  said: number
}

function spawnService({ entry, env, outFile }: NodeServiceOptions): Spawned {
  if (!existsSync(entry)) throw new Error(`${entry} is missing: run "npm run build"`)
  const out = outFile === undefined ? 'inherit' : openSync(outFile, 'a', 0o600)
  const child = spawn(process.execPath, [entry], {
    detached: true,
    stdio: ['ignore', out, out, 'ipc'],
    env,
  })
  const said = out === 'inherit' ? 0 : fstatSync(out).size
  if (out !== 'inherit') closeSync(out)
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) =>
      resolve(signal ? `it was ended by ${signal}` : `it exited with ${code}`),
    )
  })
  return { child, exited, said }
}

async function untilReady(
  { name, outFile, signal, readyMs = 60_000, graceMs = 20_000 }: NodeServiceOptions,
  { child, exited, said }: Spawned,
): Promise<NodeService> {
  const stop = async () => {
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs)
    child.kill('SIGTERM')
    await exited
    clearTimeout(timer)
  }
  const first = await firstOf(child, exited, { readyMs, signal })
  if (typeof first === 'string') {
    await stop()
    signal?.throwIfAborted()
    const why = `${name} did not start: ${first}${lastWords(outFile, said)}`
    throw new ServiceDidNotStart(why, child.exitCode)
  }
  return { pid: child.pid as number, port: first.port, exited, stop }
}

/** That it is ready, or why it is not. */
function firstOf(
  child: ChildProcess,
  exited: Promise<string>,
  { readyMs, signal }: { readyMs: number; signal: AbortSignal | undefined },
): Promise<Ready | string> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(`it was not ready within ${readyMs / 1000} s`), readyMs)
    const settle = (first: Ready | string) => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      resolve(first)
    }
    const onAbort = () => settle('its start was given up')
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted) onAbort()
    void exited.then(settle)
    child.on('message', (message: Ready) => {
      if (message.type === 'ready') settle(message)
    })
  })
}

/** What was said since the file had `from` bytes, without frames of a stack, which would push out what it is of. */
function lastWords(file: string | undefined, from: number): string {
  if (file === undefined) return ''
  const bytes = readFileSync(file)
  // one that was long is begun anew
  const all = `${bytes.subarray(bytes.length < from ? 0 : from)}`.trim().split('\n')
  const lines = all
    .filter((line) => !/^\s+at /.test(line))
    .slice(-12)
    .join('\n')
  return lines ? `\n${lines}` : ''
}

import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import type { RunCommand, RunEvent, RunExit, RunSpec, RunState } from '../contracts/agent.ts'
import { afterPatience } from '../contracts/patience.ts'
import { createBatchParser } from './event-reader.ts'
import { createLocalTransport } from './local-transport.ts'
import { runDirectory, TMP_FOLDER } from './run-files.ts'
import type { SocketAnswer, SocketRequest } from './run-socket.ts'
import type { SpawnerOptions } from './spawner-client.ts'
import type { Check, CheckEnd } from './spawner-messages.ts'
import type { Transport } from './transport.ts'

/** The runner of this run died without a result, or hangs, or nothing tells of it any more. What it stored was delivered; continue by session id after `reap`. */
export class RunnerLost extends Error {
  readonly runId: string
  /** What became of it, for people. */
  readonly why: string
  constructor(runId: string, why = 'the process that ran the agent was killed') {
    super(`the runner of run ${runId} left no result: ${why}`)
    this.name = 'RunnerLost'
    this.runId = runId
    this.why = why
  }
}

/** The runner of this run lives and does not listen or answer; nobody knows whether it took the command. */
export class RunnerSilent extends Error {
  constructor(runId: string) {
    super(`the runner of run ${runId} does not answer`)
    this.name = 'RunnerSilent'
  }
}

export interface AttachOptions {
  /** The last seq that the caller has stored; 0 for everything. */
  afterSeq: number
  /** Somebody wants this run: renews it now and this often. A runner that lets three renewals in a row pass without an answer is lost. */
  renewEveryMs?: number
  /** What is set aside for the run by now; told with each renewal. */
  tokensReserved?: () => number
  /** Ends the iteration quietly; the run goes on. */
  signal?: AbortSignal
}

export interface RunnerClient {
  /**
   * Starts a run once: whoever calls again, from whichever process and after whatever crash, gets `already`. Resolves when its runner
   * has the run and listens. Throws when no runner can be started.
   */
  start(spec: RunSpec): Promise<'started' | 'already'>
  /**
   * The run's events after `afterSeq`, in batches, without gap or duplicate, live to the terminal event, after which `exit.json` exists.
   * Throws `RunnerLost` when the runner died without a result or hangs, or the run's folder is gone, and an Error when the run was never started.
   */
  attach(runId: string, options: AttachOptions): AsyncIterable<RunEvent[]>
  /** `gone`: the run has ended, was lost, or never started. Sending a correction again is harmless. Throws `RunnerSilent`. */
  send(runId: string, command: RunCommand): Promise<'sent' | 'gone'>
  /**
   * Runs a project's check where its agents run, and resolves with its end. It belongs to this process: it ends when this one does, or when the signal is
   * aborted, whose reason is then thrown. Throws an Error when it could not be run to its end; nothing of it is left then, and it may be run again.
   */
  check(check: Check, signal: AbortSignal): Promise<CheckEnd>
  exit(runId: string): Promise<RunExit | undefined>
  /** What a run was begun with; empty when that is no longer known. */
  prompt(runId: string): Promise<string>
  state(runId: string): Promise<RunState>
  /** Kills whatever is left of a run, its runner included. Returns how many processes that were. */
  reap(runId: string): Promise<number>
  /** Reaps every run that has a process in this home and that nobody knows. Returns the ids. For the start of a worker. */
  sweep(isLive: (runId: string) => boolean | Promise<boolean>): Promise<string[]>
  /** The run's own temp folder, for `TMPDIR`; it is made by `start` and removed at the end. */
  tmpdir(runId: string): string
  /** Ends the spawner and the runner in waiting; runs go on. */
  close(): Promise<void>
}

export interface RunnerOptions extends SpawnerOptions {
  /** Told about what goes on in the background and is tried again anyway. */
  log?: (message: string) => void
  transport?: Transport
}

/** Between claiming a run and listening there are a few milliseconds. */
const CONNECT_TRIES = 200
const CONNECT_EVERY_MS = 10
const MAX_RECONNECTS = 20
/** For the answer to a command; a runner at work needs milliseconds. */
const ANSWER_SECONDS = 10
const MAX_UNANSWERED = 3

/** Starts and follows agent runs, each in a detached runner process that outlives this one; and runs checks. `home`: DISPATCH_HOME. */
export function createRunner(options: RunnerOptions): RunnerClient {
  const { home, log = () => undefined } = options
  const transport = options.transport ?? createLocalTransport(options)
  const client: RunnerClient = {
    async start(spec) {
      if ((await transport.state(spec.runId)) !== 'absent') return 'already'
      await transport.create(spec)
      return (await transport.launch(spec.runId)) === 'claimed' ? 'started' : 'already'
    },
    attach: (runId, options) => attach(transport, runId, { ...options, log }),
    send: (runId, command) => send(transport, runId, command),
    check: (check, signal) => transport.check(check, signal),
    exit: (runId) => transport.exit(runId),
    prompt: async (runId) => (await transport.spec(runId))?.prompt ?? '',
    state: (runId) => transport.state(runId),
    reap: (runId) => transport.reap(runId),
    async sweep(isLive) {
      const unknown: string[] = []
      for (const runId of await transport.alive()) if (!(await isLive(runId))) unknown.push(runId)
      for (const runId of unknown) {
        const killed = await transport.reap(runId)
        log(`ended run ${runId}, which nobody knows: ${killed} processes`)
      }
      return unknown
    },
    tmpdir: (runId) => join(runDirectory(join(home, 'runs'), runId), TMP_FOLDER),
    close: () => transport.close(),
  }
  return client
}

async function* attach(
  transport: Transport,
  runId: string,
  options: AttachOptions & { log: (message: string) => void },
): AsyncGenerator<RunEvent[]> {
  const silent = new AbortController()
  const renew = () => {
    const tokensReserved = options.tokensReserved?.()
    return send(transport, runId, {
      type: 'renew',
      ...(tokensReserved === undefined ? {} : { tokensReserved }),
    })
  }
  const stopRenewing = keepRenewed(renew, {
    ...{ everyMs: options.renewEveryMs, log: options.log, onSilent: () => silent.abort() },
  })
  try {
    yield* follow(transport, runId, { ...options, silent: silent.signal })
  } finally {
    stopRenewing()
  }
}

async function* follow(
  transport: Transport,
  runId: string,
  { afterSeq, signal, silent }: AttachOptions & { silent: AbortSignal },
): AsyncGenerator<RunEvent[]> {
  let last = afterSeq
  const unheard = AbortSignal.any(signal ? [signal, silent] : [silent])
  for (let attempt = 0; attempt < MAX_RECONNECTS; attempt += 1) {
    // Live from the socket while there is one, and whatever it did not bring from the file.
    for (const source of [live, stored]) {
      for await (const events of source(transport, runId, last, unheard)) {
        if (signal?.aborted) return
        yield events
        last = events.at(-1)?.seq ?? last
        if (isTerminal(events.at(-1))) return
      }
    }
    if (signal?.aborted || (await hasAll(transport, runId, last))) return
    if (silent.aborted) break
    const state = await transport.state(runId)
    if (state === 'absent' && last > 0) throw new RunnerLost(runId, 'its folder was deleted')
    if (state === 'absent') throw new Error(`run ${runId} was never started`)
    if (state === 'lost') throw new RunnerLost(runId)
    // Only the connection broke, or the process is about to be gone: look again.
  }
  throw new RunnerLost(runId, 'the process that ran the agent did not answer any more')
}

const isTerminal = (event: RunEvent | undefined) =>
  event?.type === 'done' || event?.type === 'failed'

/** True when the run has ended and the caller already has every event. */
async function hasAll(transport: Transport, runId: string, last: number): Promise<boolean> {
  const exit = await transport.exit(runId)
  return exit !== undefined && exit.lastSeq <= last
}

async function* live(
  transport: Transport,
  runId: string,
  afterSeq: number,
  signal: AbortSignal,
): AsyncGenerator<RunEvent[]> {
  let socket: Duplex | undefined
  const abort = () => socket?.destroy()
  signal.addEventListener('abort', abort, { once: true })
  try {
    socket = await connectRunning(transport, runId)
    if (!socket || signal.aborted) return
    socket.write(`${JSON.stringify({ subscribe: afterSeq } satisfies SocketRequest)}\n`)
    const parser = createBatchParser(afterSeq)
    for await (const chunk of socket) {
      const events = parser.push(chunk)
      if (events.length > 0) yield events
    }
  } catch (error) {
    // one that hangs is looked for again, as one whose connection broke
    if (!isDisconnect(error) && !(error instanceof RunnerSilent)) throw error
  } finally {
    signal.removeEventListener('abort', abort)
    socket?.destroy()
  }
}

function stored(transport: Transport, runId: string, afterSeq: number) {
  return transport.events(runId, afterSeq)
}

async function send(
  transport: Transport,
  runId: string,
  command: RunCommand,
): Promise<'sent' | 'gone'> {
  const socket = await connectRunning(transport, runId)
  if (!socket) return 'gone'
  const stopWaiting = afterPatience(ANSWER_SECONDS, () => socket.destroy(new RunnerSilent(runId)))
  try {
    socket.write(`${JSON.stringify({ command, n: 1 } satisfies SocketRequest)}\n`)
    for await (const answer of socket)
      return (JSON.parse(String(answer)) as SocketAnswer).ack === 1 ? 'sent' : 'gone'
    return 'gone'
  } catch (error) {
    if (isDisconnect(error)) return 'gone'
    throw error
  } finally {
    stopWaiting()
    socket.destroy()
  }
}

/** Undefined when the run is not running. */
async function connectRunning(transport: Transport, runId: string): Promise<Duplex | undefined> {
  for (let attempt = 0; attempt < CONNECT_TRIES; attempt += 1) {
    const socket = await transport.connect(runId)
    if (socket) return socket
    if ((await transport.state(runId)) !== 'running') return undefined
    await new Promise((resolve) => setTimeout(resolve, CONNECT_EVERY_MS))
  }
  throw new RunnerSilent(runId)
}

function isDisconnect(error: unknown): boolean {
  const codes = ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR']
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** Until the returned function is called, the run is gone, or its runner hangs. Not at all without `everyMs`. */
function keepRenewed(
  renew: () => Promise<'sent' | 'gone'>,
  options: { everyMs: number | undefined; log: (message: string) => void; onSilent: () => void },
): () => void {
  if (options.everyMs === undefined) return () => undefined
  let unanswered = 0
  const tick = async () => {
    try {
      if ((await renew()) === 'gone') clearInterval(timer)
      unanswered = 0
    } catch (error) {
      options.log(`a run could not be renewed, trying again: ${error}`)
      if (error instanceof RunnerSilent) unanswered += 1
      if (unanswered === MAX_UNANSWERED) options.onSilent()
    }
  }
  const timer = setInterval(() => void tick(), options.everyMs)
  void tick()
  return () => clearInterval(timer)
}

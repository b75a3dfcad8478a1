import { setTimeout as delay } from 'node:timers/promises'

export interface RunningService {
  pid: number
  /** Resolves with a reason when the process is gone, wanted or not. */
  exited: Promise<string>
  stop(): Promise<void>
}

export type ServiceState =
  | { status: 'running'; pid: number; restarts: number }
  | { status: 'restarting'; reason: string; restarts: number }
  | { status: 'stopped'; restarts: number }

export interface Supervised {
  name: string
  state(): ServiceState
  /** Sends a signal, as a fault would; the service is then started again like after any other end. */
  kill(signal: NodeJS.Signals): void
  /** Stops and starts it, and resolves when it runs again. */
  restart(): Promise<void>
  /** From now on it is not started again when it ends, until the returned function is called. For drills. */
  hold(): () => void
  stop(): Promise<void>
}

export interface SuperviseOptions<T extends RunningService> {
  name: string
  /** The signal aborts when the service is to stop: a start that is under way then is to end what it has started, and throw. */
  start: (stopping: AbortSignal) => Promise<T>
  /** Called with each started instance, the first one included. */
  onStarted: (service: T) => void
  /** Called when an instance has ended unasked, before it is started again. */
  onEnded: () => void
  /** One line for people. */
  say: (line: string) => void
  /** Milliseconds before restart `n` (0-based) of a burst; default 200, 400, ... */
  backoffMs?: (n: number) => number
  /** Milliseconds between attempts once a burst is used up. */
  slowMs?: number
}

const BURST = 5
const BURST_WINDOW_MS = 60_000

/**
 * Starts a service and keeps it running: up to five quick restarts a minute, then one attempt every half minute with
 * its reason said. The first start throws when it fails, because then somebody is there to read why.
 */
export async function supervise<T extends RunningService>(
  options: SuperviseOptions<T>,
): Promise<Supervised> {
  const { name, start, onStarted, onEnded, say } = options
  const stopping = new AbortController()
  /** For one use: what listens to it goes with it, and this one lives as long as the service. */
  const whenStopped = () => AbortSignal.any([stopping.signal])
  let running: T | undefined = await start(whenStopped())
  let restarts = 0
  let reason = ''
  let ends: number[] = []
  let waiters: (() => void)[] = []
  let held: Promise<void> | undefined
  onStarted(running)

  async function keep() {
    while (running) {
      reason = await running.exited
      running = undefined
      if (stopping.signal.aborted) return
      onEnded()
      say(`${name} ended (${reason}); starting it again`)
      running = await startAgain()
      if (!running) return
      if (stopping.signal.aborted) return running.stop()
      onStarted(running)
      say(`${name} runs again (pid ${running.pid})`)
      for (const wake of waiters.splice(0)) wake()
    }
  }

  async function startAgain(): Promise<T | undefined> {
    for (;;) {
      await delay(pause(), undefined, { signal: stopping.signal }).catch(() => undefined)
      if (held) await Promise.race([held, aborted(whenStopped())])
      if (stopping.signal.aborted) return undefined
      restarts += 1
      try {
        return await start(whenStopped())
      } catch (error) {
        if (stopping.signal.aborted) return undefined
        reason = (error as Error).message
        say(`${name} could not be started again: ${reason}`)
      }
    }
  }

  /** Milliseconds until the next attempt. Says so once when the quick ones are used up. */
  function pause(): number {
    const now = performance.now()
    ends = [...ends.filter((at) => now - at < BURST_WINDOW_MS), now]
    if (ends.length <= BURST) return options.backoffMs?.(ends.length - 1) ?? 100 * 2 ** ends.length
    const slow = options.slowMs ?? 30_000
    if (ends.length === BURST + 1)
      say(`${name} ended ${BURST} times in a minute (${reason}); trying every ${slow / 1000} s`)
    return slow
  }

  const kept = keep()
  return {
    name,
    state() {
      if (running) return { status: 'running', pid: running.pid, restarts }
      if (stopping.signal.aborted) return { status: 'stopped', restarts }
      return { status: 'restarting', reason, restarts }
    },
    kill(signal) {
      if (running) process.kill(running.pid, signal)
    },
    async restart() {
      const again = new Promise<void>((resolve) => waiters.push(resolve))
      await running?.stop()
      await again
    },
    hold() {
      let release: () => void = () => undefined
      const mine = new Promise<void>((resolve) => {
        release = resolve
      })
      held = mine
      return () => {
        if (held === mine) held = undefined
        release()
      }
    },
    async stop() {
      stopping.abort()
      for (const wake of waiters.splice(0)) wake()
      await running?.stop()
      await kept
      waiters = []
    },
  }
}

/** Resolves when it aborts, at once when it has. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

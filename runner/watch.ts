import { descendantsOf } from '../adapters/process-tree.ts'

/** Ends with what happened first; `stop` forgets both. */
export interface Watch {
  /** Somebody still wants this run. */
  renewed(): void
  /** The agent said something. */
  heard(): void
  stop(): void
}

export interface WatchOptions {
  leaseSeconds: number
  silenceSeconds: number
  onLeaseOver(): void
  onHung(): void
  /** CPU of the run's tree so far, in clock ticks of 10 ms. */
  cpu?: () => number
}

/** CPU that counts as work: an idle process with a timer uses less within any silence that is worth watching. */
const WORKING_TICKS = 5

/**
 * The dead-man switch and the watchdog over a silent agent. Progress is an event or CPU used by the tree, not "the process exists".
 * Timers are monotonic and stand still while the machine sleeps: a laptop's night ends no run.
 */
export function watchRun(options: WatchOptions): Watch {
  const { leaseSeconds, silenceSeconds, onLeaseOver, onHung, cpu = cpuOfTree } = options
  let lastProgress = performance.now()
  // the run has only just begun; to look for its processes now would hold up its agent
  let cpuThen = 0
  const lease = setTimeout(onLeaseOver, leaseSeconds * 1000)

  const look = () => {
    const used = cpu()
    // Less than before: a part of the tree ended, which is progress too.
    if (used >= cpuThen + WORKING_TICKS || used < cpuThen) {
      lastProgress = performance.now()
      cpuThen = used
    }
    if (performance.now() - lastProgress >= silenceSeconds * 1000) onHung()
  }
  const silence = setInterval(look, Math.min(5000, (silenceSeconds * 1000) / 4))
  return {
    renewed: () => void lease.refresh(),
    heard() {
      lastProgress = performance.now()
    },
    stop() {
      clearTimeout(lease)
      clearInterval(silence)
    },
  }
}

function cpuOfTree(): number {
  return descendantsOf(process.pid).reduce((sum, { cpu }) => sum + cpu, 0)
}

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

/** How often it looks, at most. */
const LOOK_MS = 5000

/**
 * The dead-man switch and the watchdog over a silent agent. Progress is an event or CPU used by the tree, not "the process exists".
 * Both count looks and no clock: while this process stands still, because the machine sleeps or its container is frozen, so do the agent
 * and whoever renews, and that ends no run.
 */
export function watchRun(options: WatchOptions): Watch {
  const { leaseSeconds, silenceSeconds, onLeaseOver, onHung, cpu = cpuOfTree } = options
  const everyMs = Math.min(LOOK_MS, (Math.min(leaseSeconds, silenceSeconds) * 1000) / 4)
  const looksIn = (seconds: number) => Math.ceil((seconds * 1000) / everyMs)
  let sinceRenewal = 0
  let sinceProgress = 0
  // the run has only just begun; to look for its processes now would hold up its agent
  let cpuThen = 0

  const look = () => {
    sinceRenewal += 1
    sinceProgress += 1
    const used = cpu()
    // Less than before: a part of the tree ended, which is progress too.
    if (used >= cpuThen + WORKING_TICKS || used < cpuThen) {
      sinceProgress = 0
      cpuThen = used
    }
    if (sinceProgress === looksIn(silenceSeconds)) onHung()
    if (sinceRenewal === looksIn(leaseSeconds)) onLeaseOver()
  }
  const timer = setInterval(look, everyMs)
  return {
    renewed() {
      sinceRenewal = 0
    },
    heard() {
      sinceProgress = 0
    },
    stop: () => clearInterval(timer),
  }
}

function cpuOfTree(): number {
  return descendantsOf(process.pid).reduce((sum, { cpu }) => sum + cpu, 0)
}

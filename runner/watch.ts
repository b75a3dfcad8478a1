import { descendantsOf } from '../adapters/process-tree.ts'
import { createPatience } from '../contracts/patience.ts'

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
  /** The run has used its part of the budgets. */
  isOverspent(): boolean
  /** It has for a while, in which nobody set aside more for it. */
  onOverspent(): void
  /** CPU of the run's tree so far, in clock ticks of 10 ms. */
  cpu?: () => number
}

/** CPU that counts as work: an idle process with a timer uses less within any silence that is worth watching. */
const WORKING_TICKS = 5

/** Whoever follows a run tells it at least twice as often what is set aside for it; a worker whose Postgres hangs renews it and tells nothing new. */
const OVERSPENT_SECONDS = 60

/** It looks this often; more often where a lease or a silence is short. */
const LOOK_MS = 5000

/**
 * The dead-man switch, the watchdog over a silent agent, and the budget of a run for which nobody sets aside more. Progress is an event or CPU used by the tree, not "the process exists".
 * No time in which the machine slept or the run's container was frozen ends it.
 */
export function watchRun(options: WatchOptions): Watch {
  const { leaseSeconds, silenceSeconds, cpu = cpuOfTree } = options
  const everyMs = Math.min(LOOK_MS, (Math.min(leaseSeconds, silenceSeconds) * 1000) / 4)
  const lease = createPatience(leaseSeconds, everyMs)
  const silence = createPatience(silenceSeconds, everyMs)
  const overspent = createPatience(Math.min(OVERSPENT_SECONDS, leaseSeconds), everyMs)
  // the run has only just begun; to look for its processes now would hold up its agent
  let cpuThen = 0

  const look = () => {
    const used = cpu()
    // Less than before: a part of the tree ended, which is progress too.
    if (used >= cpuThen + WORKING_TICKS || used < cpuThen) {
      silence.again()
      cpuThen = used
    }
    if (silence.turn()) options.onHung()
    if (!options.isOverspent()) overspent.again()
    else if (overspent.turn()) options.onOverspent()
    if (lease.turn()) options.onLeaseOver()
  }
  const timer = setInterval(look, everyMs)
  return {
    renewed: lease.again,
    heard: silence.again,
    stop: () => clearInterval(timer),
  }
}

function cpuOfTree(): number {
  return descendantsOf(process.pid).reduce((sum, { cpu }) => sum + cpu, 0)
}

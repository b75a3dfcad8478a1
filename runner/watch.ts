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
  /** Nobody is there to set aside more for a run that has used its part of the budgets. */
  isOverspent(): boolean
  onOverspent(): void
  /** CPU of the run's tree so far, in clock ticks of 10 ms. */
  cpu?: () => number
}

/** CPU that counts as work: an idle process with a timer uses less within any silence that is worth watching. */
const WORKING_TICKS = 5

/** Whoever follows a run renews it at least twice as often. */
const UNATTENDED_SECONDS = 60

/** It looks this often; more often where a lease or a silence is short. */
const LOOK_MS = 5000

/**
 * The dead-man switch, the watchdog over a silent agent, and the budget of a run that nobody follows. Progress is an event or CPU used by the tree, not "the process exists".
 * No time in which the machine slept or the run's container was frozen ends it.
 */
export function watchRun(options: WatchOptions): Watch {
  const { leaseSeconds, silenceSeconds, cpu = cpuOfTree } = options
  const everyMs = Math.min(LOOK_MS, (Math.min(leaseSeconds, silenceSeconds) * 1000) / 4)
  const lease = createPatience(leaseSeconds, everyMs)
  const silence = createPatience(silenceSeconds, everyMs)
  const attendance = createPatience(Math.min(UNATTENDED_SECONDS, leaseSeconds), everyMs)
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
    if (attendance.turn() && options.isOverspent()) options.onOverspent()
    if (lease.turn()) options.onLeaseOver()
  }
  const timer = setInterval(look, everyMs)
  return {
    renewed() {
      lease.again()
      attendance.again()
    },
    heard: silence.again,
    stop: () => clearInterval(timer),
  }
}

function cpuOfTree(): number {
  return descendantsOf(process.pid).reduce((sum, { cpu }) => sum + cpu, 0)
}

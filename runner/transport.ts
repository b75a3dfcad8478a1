import type { Duplex } from 'node:stream'
import type { RunEvent, RunExit, RunSpec, RunState } from '../contracts/agent.ts'
import type { Check, CheckEnd, RunnerReply } from './spawner-messages.ts'

/** Where runs live. `local` is this machine; a transport over SSH starts the same runner program on another one. */
export interface Transport {
  /** Makes the run's directory with its spec, whole or not at all; false when it is there already, where a run that no runner has gets this spec. */
  create(spec: RunSpec): Promise<boolean>
  /** Gives the run to a runner; `taken` when it has one or had one. */
  launch(runId: string): Promise<RunnerReply>
  /** Runs a check here, as `RunnerClient.check`. */
  check(check: Check, signal: AbortSignal): Promise<CheckEnd>
  state(runId: string): Promise<RunState>
  /** A connection to the run's socket; undefined when nobody listens. */
  connect(runId: string): Promise<Duplex | undefined>
  /** The stored events after `afterSeq`, without the runner's help. */
  events(runId: string, afterSeq: number): AsyncIterable<RunEvent[]>
  exit(runId: string): Promise<RunExit | undefined>
  spec(runId: string): Promise<RunSpec | undefined>
  /** Ends what is left of a run, its runner included; returns how many processes were killed. */
  reap(runId: string): Promise<number>
  /** Every run that has a process alive here, runner or agent. */
  alive(): Promise<string[]>
  close(): Promise<void>
}

import type { Sandbox } from '../contracts/agent.ts'

/** Worker -> spawner -> runner: host the run in this directory. */
export interface Assignment {
  runId: string
  dir: string
}

/** What is run as a check of a project. */
export interface Check {
  command: string
  cwd: string
  env: Readonly<Record<string, string>>
  seconds: number
  /** Where it is shut in. */
  sandbox?: Sandbox | undefined
}

/**
 * Worker -> spawner -> runner: run this check for me. Its id and directory are names only, by which its processes are found.
 * It belongs to whoever asked: it ends when that one is gone or says that it is unwanted.
 */
export interface CheckOrder extends Assignment, Check {}

export type Order = Assignment | CheckOrder

export const isCheck = (order: Order): order is CheckOrder => 'command' in order

/** Runner -> spawner: the run is mine, or another runner had it already. */
export type RunnerReply = 'claimed' | 'taken'

/** Runner -> spawner: how the check ended. */
export interface CheckEnd {
  /** Null when it was ended by a signal or took too long. */
  exitCode: number | null
  tookTooLong: boolean
  /** The last of both streams, at most 20,000 characters, without what looks like a secret; then what could not be ended. */
  output: string
}

/** What came of an order. */
export type Reply = RunnerReply | CheckEnd | { error: string }

/** Worker -> spawner: what was asked for with this number is wanted no more. */
export interface Unwanted {
  n: number
  unwanted: true
}

/** Worker -> spawner. */
export type SpawnRequest = (Order & { n: number }) | Unwanted

/** Spawner -> worker. */
export interface SpawnReply {
  n: number
  result: Reply
}

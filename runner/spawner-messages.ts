/** Worker -> spawner -> runner: host the run in this directory. */
export interface Assignment {
  runId: string
  dir: string
}

/** Runner -> spawner: the run is mine, or another runner had it already. */
export type RunnerReply = 'claimed' | 'taken'

/** Worker -> spawner. */
export interface SpawnRequest extends Assignment {
  n: number
}

/** Spawner -> worker. */
export interface SpawnReply {
  n: number
  result: RunnerReply | { error: string }
}

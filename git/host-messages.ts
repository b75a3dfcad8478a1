import type { Ended, GitCommand } from './processes.ts'

/** To the host, each with a number of its own. */
export type HostRequest = { n: number } & (
  | { type: 'run' | 'stream'; command: GitCommand }
  | { type: 'pipe'; from: GitCommand; into: GitCommand }
)
/** From the host: any number of chunks, then one end. */
export type HostReply = { n: number } & (
  | { type: 'chunk'; chunk: Buffer }
  | { type: 'run'; end: Ended & { stdout: Buffer } }
  | { type: 'stream'; end: Ended }
  | { type: 'pipe'; end: { from: Ended; into: Ended } }
)

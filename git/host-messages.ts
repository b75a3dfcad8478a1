import type { Ended, GitCommand } from './processes.ts'

/** To the host, each with a number of its own. */
export type HostRequest =
  | Ping
  | ({ n: number } & (
      | { type: 'run' | 'stream'; command: GitCommand }
      | { type: 'pipe'; from: GitCommand; into: GitCommand }
    ))
/** From the host: any number of chunks, then one end. A ping comes back as it is. */
export type HostReply =
  | Ping
  | ({ n: number } & (
      | { type: 'chunk'; chunk: Buffer }
      | { type: 'run'; end: Ended & { stdout: Buffer } }
      | { type: 'stream'; end: Ended }
      | { type: 'pipe'; end: { from: Ended; into: Ended } }
    ))
/** Whether the host itself still works: a git may rightly be silent for minutes. */
interface Ping {
  type: 'ping'
}

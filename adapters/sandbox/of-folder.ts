import { createHash } from 'node:crypto'

/** What an agent's sessions of one working folder are kept under where the agent itself does not keep them apart. */
export const nameOfFolder = (cwd: string): string =>
  `dispatch-${createHash('sha256').update(cwd).digest('hex').slice(0, 16)}`

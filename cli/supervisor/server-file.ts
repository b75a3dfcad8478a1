import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'

/** `server.json` of a home: how the CLI finds the API, and what runs. */
export interface ServerFile {
  url: string
  /** What it listens on, of which `url` tells only how this machine reaches it. */
  host?: string
  pid: number
  /** When that process started: together they name one. */
  start?: string
  version: string
  startedAt: string
  temporalAddress: string
  temporalUi: string | null
  workerMetrics: string
  /** `start`: when it did, of those that a later start ends; the others are adopted. With its pid it names one process. */
  processes: Record<string, { pid: number; start?: string }>
}

/** Replaces the file whole, so that a reader never sees half of it. */
export function writeServerFile(file: string, content: ServerFile): void {
  const temporary = `${file}.${process.pid}.tmp`
  const fd = openSync(temporary, 'w', 0o600)
  try {
    writeSync(fd, `${JSON.stringify(content, null, 2)}\n`)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  renameSync(temporary, file)
}

/** Undefined when nothing was started there yet, or the file is damaged. */
export function readServerFile(file: string): ServerFile | undefined {
  try {
    const data = JSON.parse(readFileSync(file, 'utf8'))
    return typeof data?.url === 'string' && typeof data.processes === 'object' ? data : undefined
  } catch {
    return undefined
  }
}

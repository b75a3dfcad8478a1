import { closeSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import type { AgentEvent, RunEvent } from '../contracts/agent.ts'

/** One runner's `events.ndjson`: the only writer, so offsets and seqs are known without asking the file. */
export interface EventLog {
  /** Stores one event under the next seq. Throws when the disk is full; nothing half-written stays. */
  append(event: AgentEvent): number
  /** Makes everything so far survive a power cut. */
  flush(): void
  /** Bytes that are stored: what a reader may see. */
  size(): number
  lastSeq(): number
  /** An offset from which every event after `seq` follows, perhaps with a few before it. */
  offsetFor(seq: number): number
  /** Whole lines from `offset` on, at most about `READ_BYTES`; empty at the end. */
  read(offset: number): Buffer
  close(): void
}

const INDEX_EVERY = 256
const READ_BYTES = 256 * 1024
const NEWLINE = 0x0a

/** Each event is handed to the kernel before anyone is told: it survives a SIGKILL of the runner. A power cut ends the run anyway. */
export function createEventLog(path: string, now: () => Date = () => new Date()): EventLog {
  const file = openSync(path, 'wx+', 0o600)
  const index = [{ seq: 0, offset: 0 }]
  let size = 0
  let seq = 0

  return {
    append(event) {
      const stored: RunEvent = { seq: seq + 1, at: now().toISOString(), ...event }
      const line = Buffer.from(`${JSON.stringify(stored)}\n`)
      writeAll(file, line, size)
      size += line.length
      seq += 1
      if (seq % INDEX_EVERY === 0) index.push({ seq, offset: size })
      return seq
    },
    flush: () => fsyncSync(file),
    size: () => size,
    lastSeq: () => seq,
    offsetFor: (after) => index.findLast((entry) => entry.seq <= after)?.offset ?? 0,
    read: (offset) => readLines(file, offset, size),
    close: () => closeSync(file),
  }
}

function writeAll(file: number, bytes: Buffer, at: number): void {
  try {
    for (let done = 0; done < bytes.length; )
      done += writeSync(file, bytes, done, bytes.length - done, at + done)
  } catch (error) {
    ftruncateSync(file, at)
    throw error
  }
}

/** Grows its buffer when a single line is longer than one read. */
function readLines(file: number, offset: number, size: number): Buffer {
  for (let want = READ_BYTES; offset < size; want *= 4) {
    const buffer = Buffer.allocUnsafe(Math.min(want, size - offset))
    const got = readSync(file, buffer, 0, buffer.length, offset)
    const end = buffer.subarray(0, got).lastIndexOf(NEWLINE) + 1
    if (end > 0) return buffer.subarray(0, end)
    if (got === 0) break
  }
  return Buffer.alloc(0)
}

import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import { isErrno } from '../adapters/is-errno.ts'
import type { RunEvent } from '../contracts/agent.ts'

const NEWLINE = 0x0a

/**
 * Collects bytes into whole lines; what has no newline yet waits, a torn last line for ever. Lines here are our own: no bound.
 * A line that is no JSON is where a power cut left blocks unwritten: nothing after it counts.
 */
export function createBatchParser(afterSeq: number) {
  let rest: Buffer[] = []
  let last = afterSeq
  let torn = false
  return {
    /** Events after those already given, in order, each once. */
    push(chunk: Buffer): RunEvent[] {
      const end = chunk.lastIndexOf(NEWLINE)
      if (end === -1) {
        rest.push(chunk)
        return []
      }
      const text = Buffer.concat([...rest, chunk.subarray(0, end)]).toString('utf8')
      rest = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : []
      const events: RunEvent[] = []
      for (const line of torn ? [] : text.split('\n')) {
        const event = parseEvent(line)
        torn = event === undefined
        if (!event) break
        if (event.seq <= last) continue
        if (event.seq !== last + 1)
          throw new Error(`a gap in a run's events: ${event.seq} follows ${last}`)
        last = event.seq
        events.push(event)
      }
      return events
    },
  }
}

function parseEvent(line: string): RunEvent | undefined {
  try {
    return JSON.parse(line) as RunEvent
  } catch {
    return undefined
  }
}

/** The stored events after `afterSeq`, in batches. A torn last line is left out. Nothing when there is no file. */
export async function* readEvents(path: string, afterSeq: number): AsyncGenerator<RunEvent[]> {
  const parser = createBatchParser(afterSeq)
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 256 * 1024 })) {
      const events = parser.push(chunk as Buffer)
      if (events.length > 0) yield events
    }
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

/** Cuts a last line without its newline off, as a crash may leave one. Only for a file that has no writer any more. */
export async function truncateTornLine(path: string): Promise<void> {
  let size: number
  try {
    size = (await stat(path)).size
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return
    throw error
  }
  const file = await open(path, 'r+')
  try {
    let end = size
    const buffer = Buffer.alloc(64 * 1024)
    while (end > 0) {
      const from = Math.max(0, end - buffer.length)
      const { bytesRead } = await file.read(buffer, 0, end - from, from)
      const newline = buffer.subarray(0, bytesRead).lastIndexOf(NEWLINE)
      end = newline === -1 ? from : from + newline + 1
      if (newline !== -1) break
    }
    if (end < size) await file.truncate(end)
  } finally {
    await file.close()
  }
}

import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import type { RunEvent } from '../contracts/agent.ts'
import { createEventLog } from './event-log.ts'
import { createBatchParser, readEvents, truncateTornLine } from './event-reader.ts'
import { createIntake } from './intake.ts'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'dispatch-log-'))
  path = join(folder, 'events.ndjson')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

async function stored(afterSeq = 0): Promise<RunEvent[]> {
  const events: RunEvent[] = []
  for await (const batch of readEvents(path, afterSeq)) events.push(...batch)
  return events
}

test('a torn last line is left out, then cut off', async () => {
  const log = createEventLog(path)
  log.append({ type: 'text', text: 'one' })
  log.append({ type: 'text', text: 'zwei ✓' })
  log.close()
  appendFileSync(path, '{"seq":3,"type":"te')
  expect((await stored()).map((event) => event.seq)).toEqual([1, 2])
  await truncateTornLine(path)
  expect(readFileSync(path, 'utf8').endsWith('✓"}\n')).toBe(true)
  expect(await stored(1)).toMatchObject([{ seq: 2, text: 'zwei ✓' }])
})

test('what a power cut left unwritten ends the events', async () => {
  const log = createEventLog(path)
  log.append({ type: 'text', text: 'one' })
  log.close()
  appendFileSync(path, `${'\0'.repeat(100)}\n{"seq":2,"type":"text","text":"two"}\n`)
  expect(await stored()).toMatchObject([{ seq: 1 }])
})

test('a reader finds its place among thousands, and a long line comes whole', () => {
  const log = createEventLog(path)
  for (let n = 1; n <= 1000; n += 1) log.append({ type: 'text', text: `${n}` })
  log.append({ type: 'text', text: 'x'.repeat(2_000_000) })
  const parser = createBatchParser(777)
  const events: RunEvent[] = []
  for (let offset = log.offsetFor(777); ; ) {
    const lines = log.read(offset)
    if (lines.length === 0) break
    offset += lines.length
    events.push(...parser.push(lines))
  }
  expect(log.offsetFor(777)).toBeGreaterThan(0)
  expect(events.map((event) => event.seq)).toEqual(Array.from({ length: 224 }, (_, i) => 778 + i))
  expect(events.at(-1)).toMatchObject({ text: 'x'.repeat(2_000_000) })
  log.close()
})

test('a gap is an error, not a silence', () => {
  const parser = createBatchParser(0)
  expect(() => parser.push(Buffer.from('{"seq":2}\n'))).toThrow('gap')
})

test('text in tiny pieces is joined, in order with everything else, and safe for a database', () => {
  vi.useFakeTimers() // what is joined is what comes soon after the last, however slow the machine is
  onTestFinished(() => void vi.useRealTimers())
  const events: unknown[] = []
  const intake = createIntake({}, (event) => events.push(event))
  for (const text of ['1', '2', '\0', '\ud800', '3']) intake.add({ type: 'text', text })
  intake.add({ type: 'reasoning', text: 'why' })
  intake.add({ type: 'tool', callId: '1', name: 'shell', input: 'x'.repeat(300_000) })
  expect(events).toMatchObject([
    { type: 'text', text: '1' },
    { type: 'text', text: '2��3' },
    { type: 'reasoning', text: 'why' },
    { type: 'tool', input: expect.stringContaining('(37856 characters dropped)') },
  ])
})

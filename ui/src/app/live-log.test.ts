import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Topic } from '../../../client/live-socket.ts'

const topics = vi.hoisted(() => new Map<string, Topic>())
vi.mock('./live.ts', () => ({
  socket: {
    subscribe(topic: Topic) {
      topics.set(topic.stream, topic)
      return () => topics.delete(topic.stream)
    },
  },
}))
let frame: (() => void) | undefined
beforeAll(() => {
  vi.stubGlobal('requestAnimationFrame', (show: () => void) => {
    frame = show
    return 1
  })
})
afterAll(() => vi.unstubAllGlobals())

test('a run that is followed all day for its last words keeps only those; who reads all of it beside that misses nothing', async () => {
  const { followLog } = await import('./live-log.ts')
  let seq = 0
  /** So many come, in a window that is looked at or hidden meanwhile. */
  const say = (count: number) => {
    for (let one = 0; one < count; one += 1) topics.get('run/r')?.onItems([{ seq: ++seq }])
  }
  const look = () => frame?.()
  const lastLine = followLog<{ seq: number }>('run/r', 40, vi.fn(), 40)
  say(1_000)
  look()
  say(1_000)
  look()
  expect(lastLine.read().items.length).toBeLessThanOrEqual(80)
  expect(lastLine.read().items.at(-1)?.seq).toBe(2_000)

  const reader = followLog<{ seq: number }>('run/r', 600, vi.fn())
  say(1_000)
  look()
  expect(
    reader
      .read()
      .items.slice(-1_000)
      .map((item) => item.seq),
  ).toEqual(Array.from({ length: 1_000 }, (_, index) => 2_001 + index))
  reader.end()
  say(1)
  look()
  expect(lastLine.read().items.map((item) => item.seq)).toEqual(
    Array.from({ length: 40 }, (_, index) => 2_962 + index),
  )
  lastLine.end()
})

import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSilenceWatch } from './silence-watch.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

test('a model that says nothing when it is to speak is given up; a frozen container is no silence of it', () => {
  let isWaiting = false
  const bite = vi.fn()
  const watch = createSilenceWatch(60, () => isWaiting, bite)
  vi.advanceTimersByTime(600_000) // a tool runs
  isWaiting = true
  vi.advanceTimersByTime(60_000)
  watch.heard()
  vi.advanceTimersByTime(30_000)
  vi.spyOn(performance, 'now').mockReturnValue(performance.now() + 8 * 3600 * 1000)
  vi.advanceTimersToNextTimer()
  expect(watch.bit()).toBeUndefined()

  vi.advanceTimersByTime(60_000)
  expect(watch.bit()).toBe('waited for its model for 60 s and heard nothing')
  expect(bite).toHaveBeenCalled()
  watch.stop()
})

test('a tool that never ends, or of whose end nobody tells, is no reason to wait for ever', () => {
  const bite = vi.fn()
  const watch = createSilenceWatch(60, () => false, bite)
  vi.advanceTimersByTime(900_000)
  watch.heard()
  vi.advanceTimersByTime(900_000)
  expect(bite).not.toHaveBeenCalled()
  vi.advanceTimersByTime(100_000)
  expect(bite).toHaveBeenCalled()
  expect(watch.bit()).toBe('waited for a tool for 960 s and heard nothing')
  watch.stop()
})

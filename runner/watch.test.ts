import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { watchRun } from './watch.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.useRealTimers()
})

function watched(cpu: () => number = () => 0, isOverspent = () => false) {
  const said = new Set<string>()
  const watch = watchRun({
    ...{ leaseSeconds: 900, silenceSeconds: 300, cpu, isOverspent },
    onOverspent: () => said.add('more than its part'),
    onLeaseOver: () => said.add('nobody wants it'),
    onHung: () => said.add('no sign of life'),
  })
  return { watch, ends: () => [...said] }
}

/** Timers that were due meanwhile fire once. */
function freeze(seconds: number) {
  const now = performance.now() + seconds * 1000
  vi.spyOn(performance, 'now').mockReturnValue(now)
  vi.advanceTimersToNextTimer()
}

test('a run is ended when nobody renews it, and when its agent neither says nor does anything', () => {
  const { watch, ends } = watched()
  for (let minute = 0; minute < 60; minute += 1) {
    vi.advanceTimersByTime(60_000)
    watch.renewed()
    watch.heard()
  }
  expect(ends()).toEqual([])
  vi.advanceTimersByTime(300_000)
  expect(ends()).toEqual([])
  vi.advanceTimersByTime(10_000)
  expect(ends()).toEqual(['no sign of life'])
  vi.advanceTimersByTime(600_000)
  expect(ends()).toEqual(['no sign of life', 'nobody wants it'])
})

test('an agent that computes without a word is at work', () => {
  let ticks = 0
  const { ends } = watched(() => {
    ticks += 5
    return ticks
  })
  vi.advanceTimersByTime(800_000)
  expect(ends()).toEqual([])
})

test('the time that a frozen container or a sleeping machine stands still ends no run', () => {
  const { ends } = watched()
  freeze(8 * 3600)
  expect(ends()).toEqual([])
})

test('a run that used its part of a budget is ended within some seconds more than a minute without anybody who could give it more', () => {
  let [ticks, overspent] = [0, false]
  const atWork = () => {
    ticks += 5
    return ticks
  }
  const { watch, ends } = watched(atWork, () => overspent)
  vi.advanceTimersByTime(200_000)
  expect(ends()).toEqual([])
  overspent = true
  watch.renewed()
  vi.advanceTimersByTime(60_000)
  expect(ends()).toEqual([])
  watch.renewed()
  vi.advanceTimersByTime(70_000)
  expect(ends()).toEqual(['more than its part'])
})

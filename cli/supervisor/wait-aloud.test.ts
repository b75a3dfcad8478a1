import { expect, test, vi } from 'vitest'
import { waitAloud } from './wait-aloud.ts'

test('who waits long is told every ten seconds for what and since when, and no more once it is there', async () => {
  vi.useFakeTimers({ now: new Date('2026-01-01T07:00:00') })
  try {
    const lines: string[] = []
    let answer: (value: string) => void = () => undefined
    const work = () =>
      new Promise<string>((resolve) => {
        answer = resolve
      })
    const waiting = waitAloud('Temporal to answer', (line) => lines.push(line), work)
    vi.advanceTimersByTime(9_999)
    expect(lines).toEqual([])
    vi.advanceTimersByTime(10_001)
    expect(lines).toEqual([
      'still waiting for Temporal to answer, since 07:00:00: 10 s by now ...',
      'still waiting for Temporal to answer, since 07:00:00: 20 s by now ...',
    ])
    answer('it')
    expect(await waiting).toBe('it')
    vi.advanceTimersByTime(60_000)
    expect(lines).toHaveLength(2)
  } finally {
    vi.useRealTimers()
  }
})

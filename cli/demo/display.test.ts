import { afterEach, expect, test, vi } from 'vitest'
import type { Io } from '../io.ts'
import { goal } from '../testing/fixtures.ts'
import { createDisplay } from './display.ts'

afterEach(() => void vi.useRealTimers())

test('a clock that is set back meanwhile does not count', () => {
  const lines: string[] = []
  const io = {
    draws: false,
    print: (line: string) => lines.push(line),
    paint: (_: string, text: string) => text,
  }
  const display = createDisplay(io as unknown as Io)
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_600_000 })
  display.show(goal)
  expect(lines[0]).toMatch(/^ +0\.\d s {2}/)
})

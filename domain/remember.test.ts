import { expect, test } from 'vitest'
import { remember } from './remember.ts'

test('what was seen lately is known again, and no more is kept of a year of signals', () => {
  const seen = new Set<string>()
  for (let n = 0; n < 10_000; n += 1) {
    expect(remember(seen, `k${n}`)).toBe(true)
    expect(remember(seen, `k${n}`)).toBe(false)
    expect(remember(seen, `k${Math.max(0, n - 50)}`)).toBe(false)
  }
  expect(seen.size).toBe(100)
})

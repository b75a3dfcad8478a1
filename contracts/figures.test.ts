import { expect, test } from 'vitest'
import { actorName, formatDuration, formatTokens, formatUsedTokens } from './figures.ts'

test.each([
  [0, '0'],
  [950, '950'],
  [12_345, '12.3k'],
  [123_456, '123k'],
  [999_960, '1.0M'],
  [4_100_000, '4.1M'],
])('%i tokens are %s', (count, text) => expect(formatTokens(count)).toBe(text))

test('a sum of tokens says what it leaves out, and what nobody told is not zero', () => {
  const used = [
    { total: 12_800, uncountedRuns: 0 },
    { total: 12_800, uncountedRuns: 1 },
    { total: 0, uncountedRuns: 1 },
    { total: 0, uncountedRuns: 0 },
  ]
  expect(used.map((each) => formatUsedTokens(each))).toEqual(['12.8k', '12.8k+', 'unknown', '0'])
  expect(formatUsedTokens({ total: 12_834, uncountedRuns: 2 }, true)).toBe('12834+')
})

test.each([
  [-5, '0s'],
  [4_200, '4s'],
  [64_000, '1m 04s'],
  [7_500_000, '2h 05m'],
  [273_600_000, '3d 04h'],
])('%i ms are %s', (ms, text) => expect(formatDuration(ms)).toBe(text))

test('a person is called by name, others by their kind', () => {
  expect(actorName('person:Ada')).toBe('Ada')
  expect(actorName('agent:demo')).toBe('agent:demo')
})

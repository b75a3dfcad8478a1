import { expect, test } from 'vitest'
import { endAt, endOfLimit } from './end-of-limit.ts'

test.each([
  ['Your quota will reset after 5h10m3s.', 18_603],
  ['Please wait and try again later. Suggested retry after 3600s.', 3600],
  ['{"@type":"RetryInfo","retryDelay": "37.5s"}', 37.5],
  ['You hit your usage limit. Try again in 3 days 4 hours 5 minutes.', 273_900],
  ['Rate limit reached. Please try again in 1.5s. Visit https://example.com', 1.5],
  ['Please try again in 250ms', 0.25],
  ['retry-after: 60', 60],
  ['Limit reached. Try again in 2 weeks', 691_200],
  ['Your weekly limit will reset in 1 week', 604_800],
  ['Try again in 1 month.', 691_200],
  ['try again in 99999999999999 days', 691_200],
  ['Try again in 3 attempts', undefined],
  ['Please wait and try again later.', undefined],
  ['Attempt 2 failed. Retrying after 5 seconds', undefined],
  ['retry after: 1764412800', undefined],
  ['exceeded retry limit, last status: 429 Too Many Requests', undefined],
])('%s', (said, seconds) => {
  const until = endOfLimit(said)
  if (seconds === undefined) return expect(until).toBeUndefined()
  const told = Date.parse(until ?? '') - Date.now()
  expect(Math.abs(told - seconds * 1000)).toBeLessThan(2000)
})

test('a time in seconds or milliseconds since 1970 is one, too', () => {
  const at = (Math.floor(Date.now() / 1000) + 3600) * 1000
  for (const said of [`retry after: ${at / 1000}`, `reset after ${at}`])
    expect(Math.abs(Date.parse(endOfLimit(said) ?? '') - at), said).toBeLessThan(2000)
})

test('a time that an agent tells is a date that can be stored, and none beyond what anybody would wait for', () => {
  const hour = Date.now() + 3_600_000
  for (const [epoch, at] of [
    [hour / 1000, hour],
    [hour, hour],
    [hour * 1000, Date.now() + 8 * 86_400_000],
    [1e300, Date.now() + 8 * 86_400_000],
  ] as const)
    expect(Math.abs(Date.parse(endAt(epoch)) - at), String(epoch)).toBeLessThan(2000)
})

import { expect, test } from 'vitest'
import { endOfLimit } from './end-of-limit.ts'

test.each([
  ['Your quota will reset after 5h10m3s.', 18_603],
  ['Please wait and try again later. Suggested retry after 3600s.', 3600],
  ['{"@type":"RetryInfo","retryDelay": "37.5s"}', 37.5],
  ['You hit your usage limit. Try again in 3 days 4 hours 5 minutes.', 273_900],
  ['Rate limit reached. Please try again in 1.5s. Visit https://example.com', 1.5],
  ['Please try again in 250ms', 0.25],
  ['retry-after: 60', 60],
  ['Please wait and try again later.', undefined],
  ['Attempt 2 failed. Retrying after 5 seconds', undefined],
  ['exceeded retry limit, last status: 429 Too Many Requests', undefined],
])('%s', (said, seconds) => {
  const until = endOfLimit(said)
  if (seconds === undefined) return expect(until).toBeUndefined()
  const told = Date.parse(until ?? '') - Date.now()
  expect(Math.abs(told - seconds * 1000)).toBeLessThan(2000)
})

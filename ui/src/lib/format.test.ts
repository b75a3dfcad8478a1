import { expect, test } from 'vitest'
import { formatAgo, formatClock, formatCost, listed } from './format.ts'

test.each([
  [null, 'unknown'],
  [0, '$0.00'],
  [0.004, '<$0.01'],
  [0.42, '$0.42'],
  [12.5, '$12.50'],
])('%s US dollars are %s', (usd, text) => expect(formatCost(usd)).toBe(text))

test('details show four decimals, and unknown stays unknown', () => {
  expect(formatCost(0.00421, true)).toBe('$0.0042')
  expect(formatCost(null, true)).toBe('unknown')
})

test('times grow coarser as they grow old', () => {
  const now = Date.parse('2026-05-01T12:00:00Z')
  const ago = (seconds: number) => formatAgo(now - seconds * 1000, now)
  expect([2, 70, 3_600, 90_000].map(ago)).toEqual(['just now', '1m ago', '1h ago', '1d ago'])
  expect(ago(90 * 86_400)).toMatch(/2026/)
})

test('names are listed as one says them', () => {
  expect(listed(['Codex'])).toBe('Codex')
  expect(listed(['Claude Code', 'Codex', 'Gemini CLI'])).toBe('Claude Code, Codex, and Gemini CLI')
})

test('a time of another day has its date, one of another year its year', () => {
  const now = new Date(2026, 4, 2, 9).getTime()
  const at = (...day: [number, number, number]) =>
    formatClock(new Date(...day, 14, 3, 22).getTime(), now)
  expect(at(2026, 4, 2)).toMatch(/^14:03:22$/)
  expect(at(2026, 4, 1)).toMatch(/May.*14:03:22/)
  expect(at(2026, 4, 1)).not.toMatch(/2026/)
  expect(at(2025, 4, 2)).toMatch(/2025/)
})

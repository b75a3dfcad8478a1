import { expect, test } from 'vitest'
import type { RunRow } from '../db/runs.ts'
import { remedyFor } from '../domain/failures.ts'
import { failuresBefore, limitPause } from './limit-pause.ts'

const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1) + minutes * 60_000).toISOString()
/** A run that met a limit a minute after it began; `pause`: in minutes, as it was set. */
const limited = (
  segment: number,
  begin: number,
  more: Partial<RunRow> & { pause?: number } = {},
) => {
  const { pause = 1.5, ...columns } = more
  return {
    ...{
      segment,
      adapter: 'codex',
      status: 'failed',
      exit_reason: 'rate_limit',
      until_guessed: true,
    },
    ...{ created_at: at(begin), ended_at: at(begin + 1), until_at: at(begin + 1 + pause) },
    ...{ tokens_out: 0, tokens_estimated: 0 },
    ...columns,
  } as RunRow
}
const waited = (segments: RunRow[]) =>
  limitPause(segments, segments.at(-1) ?? limited(1, 0)).waited / 60

test('waits for limits that Dispatch chose, or that are short, add up', () => {
  const short = { until_guessed: false, pause: 2 }
  expect(waited([limited(1, 0), limited(2, 2.5, short), limited(3, 5.5)])).toBe(1.5 + 2)
})

test('a long pause that the provider named costs no patience where work went on after it, else an hour at most', () => {
  const long = { until_guessed: false, pause: 600 }
  const [first, worked] = [limited(1, 0, long), limited(2, 601, { ...long, tokens_out: 10 })]
  expect(waited([first, worked])).toBe(0)
  expect(waited([first, limited(2, 601)])).toBe(60)
  const short = { until_guessed: false, pause: 5 }
  const refused = Array.from({ length: 300 }, (_, n) => limited(n + 1, n * 6, short))
  const last = refused.at(-1) as RunRow
  const remedies = refused.map((run, n) =>
    remedyFor('rate_limit', n, limitPause(refused.slice(0, n + 1), run)),
  )
  expect(remedies[0]).toEqual({ type: 'park', seconds: 300 })
  expect(remedies.findIndex(({ type }) => type === 'give_up')).toBeGreaterThan(200)
  expect(remedyFor('rate_limit', 299, limitPause(refused, last))).toEqual({ type: 'give_up' })
})

test('a goal that was paused, or a machine that was off, was no wait for a limit', () => {
  expect(waited([limited(1, 0), limited(2, 48 * 60)])).toBe(1.5)
  // a person tried sooner
  expect(waited([limited(1, 0), limited(2, 1.5)])).toBe(0.5)
})

test('the limits of another agent do not make the first pause of this one longer', () => {
  const other = { adapter: 'claude' }
  const segments = [limited(1, 0, other), limited(2, 9, other), limited(3, 20)]
  expect(failuresBefore(segments, limited(3, 20), 'rate_limit')).toBe(0)
  expect(failuresBefore(segments, limited(4, 30), 'rate_limit')).toBe(1)
})

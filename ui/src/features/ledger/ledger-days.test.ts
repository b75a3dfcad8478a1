import { expect, test } from 'vitest'
import type { LedgerRow } from '../../../../contracts/schemas.ts'
import { axisCost, dayBars, daysAgo, roundTicks } from './ledger-days.ts'
import { readLedgerSearch } from './ledger-search.ts'

const row = (key: string): LedgerRow => ({
  key,
  label: null,
  usage: {
    ...{ input: 1, output: 2, cacheRead: 3, cacheWrite: 4, reasoning: 0, total: 10, runs: 1 },
    ...{ costUsd: 5, knownUsd: 5, estimatedUsd: 2, unpricedRuns: 0 },
    ...{ uncountedRuns: 0, estimatedTokens: 0 },
    ...{ cacheHitRatio: 0.5, lowCache: false, cacheSavedUsd: 0 },
  },
})

test('the axis has round figures', () => {
  expect(roundTicks(0.26)).toEqual([0, 0.1, 0.2, 0.3])
  expect(roundTicks(4.1)).toEqual([0, 1, 2, 3, 4, 5])
  expect(roundTicks(1_200_000)).toEqual([0, 500_000, 1_000_000, 1_500_000])
  expect(roundTicks(0)).toHaveLength(2)
})

test('no two places of the axis have the same words, also where a day costs less than a cent', () => {
  const words = (most: number) => {
    const ticks = roundTicks(most)
    return ticks.map((tick) => axisCost(tick, ticks))
  }
  expect(words(0.004)).toEqual(['$0.000', '$0.001', '$0.002', '$0.003', '$0.004'])
  expect(words(0.02)).toEqual(['$0.000', '$0.005', '$0.010', '$0.015', '$0.020'])
  expect(words(4.1)).toEqual(['$0.00', '$1.00', '$2.00', '$3.00', '$4.00', '$5.00'])
  expect(words(0)).toEqual(['$0.00', '$1.00'])
})

test('every day has a bar, over the end of a month too', () => {
  const bars = dayBars([row('2026-03-01'), row('2026-02-27')], 7, '2026-03-02')
  expect(bars.map(({ day, input }) => [day.slice(5), input])).toEqual([
    ['02-24', 0],
    ['02-25', 0],
    ['02-26', 0],
    ['02-27', 1],
    ['02-28', 0],
    ['03-01', 1],
    ['03-02', 0],
  ])
  expect(bars[3]).toMatchObject({ told: 3, estimated: 2 })
})

test('all of it begins with the first day that has a run', () => {
  expect(dayBars([row('2026-01-01')], 0, '2026-01-31')).toHaveLength(31)
  expect(dayBars([], 0, '2026-01-31')).toHaveLength(7)
})

test('seven days are today and six before it', () => {
  expect(daysAgo(7, new Date(2026, 2, 2, 15))).toEqual(new Date(2026, 1, 24))
})

test('an address that means nothing shows the usual', () => {
  expect(readLedgerSearch({ by: 'moon', days: 'x', show: 'mood', project: 'shop' })).toEqual({})
  expect(readLedgerSearch({ by: 'day', days: 0, show: 'tokens', project: 'P-1' })).toEqual({
    by: 'day',
    days: 0,
    show: 'tokens',
    project: 'P-1',
  })
})

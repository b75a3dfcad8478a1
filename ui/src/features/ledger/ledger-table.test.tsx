import { renderToStaticMarkup } from 'react-dom/server'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { LedgerUsage } from '../../../../contracts/schemas.ts'

let LedgerTable: typeof import('./ledger-table.tsx').LedgerTable
beforeAll(async () => {
  // names of keys depend on it
  vi.stubGlobal('navigator', { platform: 'Linux' })
  LedgerTable = (await import('./ledger-table.tsx')).LedgerTable
})
afterAll(() => vi.unstubAllGlobals())

const usage = (total: number, uncountedRuns: number): LedgerUsage => ({
  ...{ input: total, output: 0, cacheRead: 0, cacheWrite: 0, reasoning: 0, total },
  ...{ costUsd: uncountedRuns > 0 ? null : 0, knownUsd: 0, estimatedUsd: 0 },
  ...{ unpricedRuns: uncountedRuns, uncountedRuns, estimatedTokens: 700 * uncountedRuns },
  ...{ runs: 1, cacheHitRatio: null, lowCache: false, cacheSavedUsd: null },
})
/** The cells of a row under "Tokens" and "Cost". */
function cellsOf(sums: LedgerUsage): (string | undefined)[] {
  const rows = [{ key: 'acp:late', label: null, usage: sums }]
  const page = renderToStaticMarkup(<LedgerTable by="adapter" rows={rows} total={usage(0, 0)} />)
  const [row] = /<tbody>.*?<\/tbody>/.exec(page) ?? ['']
  const cells = [...row.matchAll(/<td[^>]*>(.*?)<\/td>/g)].map(([, cell = '']) =>
    cell.replaceAll(/<[^>]*>/g, ''),
  )
  return [cells.at(-3), cells.at(-1)]
}

test('a group whose agents told no tokens has an unknown sum and not zero; one that told some has a +', () => {
  expect(cellsOf(usage(0, 1))).toEqual(['unknown', 'cost unknown'])
  expect(cellsOf(usage(12_800, 1))).toEqual(['12.8k+', 'cost unknown'])
  expect(cellsOf(usage(0, 0))).toEqual(['0', '$0.00'])
})

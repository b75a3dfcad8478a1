import { expect, test, vi } from 'vitest'
import { NO_USAGE } from '../contracts/agent.ts'
import { createPriceMeter } from './price-meter.ts'

const MILLION = 1_000_000

test('each kind of token has its price, and nothing is asked of the network', async () => {
  const fetch = vi.spyOn(globalThis, 'fetch').mockRejectedValue(new Error('no network here'))
  const meter = createPriceMeter('claude')
  const usage = { input: 400, output: 200, cacheRead: 1000, cacheWrite: 100, reasoning: 50 }
  const found = await meter.estimate(usage, 'claude-sonnet-4-5')
  // $3, $15, $0.30 and $3.75 a million tokens; without a cache all input costs $3
  const paid = (400 * 3 + 200 * 15 + 1000 * 0.3 + 100 * 3.75) / MILLION
  expect(found?.costUsd).toBeCloseTo(paid, 10)
  expect(found?.cacheSavedUsd).toBeCloseTo((1500 * 3 + 200 * 15) / MILLION - paid, 10)
  expect(fetch).not.toHaveBeenCalled()
  fetch.mockRestore()
})

test('many short requests do not cost what one long request does', async () => {
  const meter = createPriceMeter('gemini')
  let found: Awaited<ReturnType<typeof meter.estimate>>
  for (let n = 1; n <= 10; n += 1)
    found = await meter.estimate({ ...NO_USAGE, input: n * 100_000 }, 'gemini-2.5-pro')
  expect(found?.costUsd).toBeCloseTo(1.25, 10)
})

test('a worker goes on where another one stood', async () => {
  const usage = { ...NO_USAGE, input: 1000 }
  const first = await createPriceMeter('codex').estimate(usage, 'gpt-5')
  const meter = createPriceMeter('codex', {
    usage,
    estimate: first ?? { costUsd: 0, cacheSavedUsd: 0 },
  })
  const twice = await meter.estimate({ ...NO_USAGE, input: 2000 }, 'gpt-5')
  expect(twice?.costUsd).toBeCloseTo(2 * (first?.costUsd ?? Number.NaN), 10)
})

test.each([
  ['claude', 'gpt-5'],
  ['codex', 'a-model-of-mine'],
  ['demo', null],
])('%s with the model %s has no price, which is not a price of 0', async (adapter, model) => {
  expect(await createPriceMeter(adapter).estimate({ ...NO_USAGE, input: 1 }, model)).toBeUndefined()
})

test('tokens that an agent made up cost nobody knows what', async () => {
  const meter = createPriceMeter('codex')
  expect(await meter.estimate({ ...NO_USAGE, output: 1e12 }, 'gpt-5-pro')).toBeUndefined()
})

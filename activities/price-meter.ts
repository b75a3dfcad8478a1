import { NO_USAGE, type Usage } from '../contracts/agent.ts'
import type { Estimate } from '../db/transcripts.ts'

/** Whose price list an agent's models are on; another agent's models are looked for on all lists. */
const PROVIDERS: Readonly<Record<string, string>> = {
  claude: 'anthropic',
  codex: 'openai',
  gemini: 'google',
}

/** No run costs or saves more: what would is of tokens that an agent made up, and Postgres does not store it. */
const MOST_USD = 1e7

/**
 * Estimates what a run costs from list prices, response by response: a provider's higher price for a long context is of one request, so
 * the sum of many must not be priced as one. The lists come with the package; nothing is asked of the network.
 */
export interface PriceMeter {
  /** Of the run's tokens so far; undefined while the model or its price is unknown. */
  estimate(usage: Usage, model: string | null): Promise<Estimate | undefined>
}

/** `counted`: what was estimated before, by a worker that followed the run until now. */
export function createPriceMeter(
  adapter: string,
  counted?: { usage: Usage; estimate: Estimate },
): PriceMeter {
  let before: Usage = counted?.usage ?? NO_USAGE
  let sum: Estimate = counted?.estimate ?? { costUsd: 0, cacheSavedUsd: 0 }
  return {
    async estimate(usage, model) {
      if (model === null) return undefined
      const price = await priceOf(minus(usage, before), { model, provider: PROVIDERS[adapter] })
      if (!price) return undefined
      before = usage
      sum = {
        costUsd: sum.costUsd + price.costUsd,
        cacheSavedUsd: sum.cacheSavedUsd + price.cacheSavedUsd,
      }
      return Math.max(sum.costUsd, sum.cacheSavedUsd) <= MOST_USD ? sum : undefined
    },
  }
}

async function priceOf(
  usage: Usage,
  { model, provider }: { model: string; provider: string | undefined },
): Promise<Estimate | undefined> {
  // loaded once it is needed: the lists are 200 kB
  const { calcPrice } = await import('@pydantic/genai-prices')
  const tokens = {
    input_tokens: usage.input + usage.cacheRead + usage.cacheWrite,
    output_tokens: usage.output,
  }
  const cached = { cache_read_tokens: usage.cacheRead, cache_write_tokens: usage.cacheWrite }
  const on = provider === undefined ? {} : { providerId: provider }
  const paid = calcPrice({ ...tokens, ...cached }, model, on)
  const without = calcPrice(tokens, model, on)
  if (!paid || !without) return undefined
  return { costUsd: paid.total_price, cacheSavedUsd: without.total_price - paid.total_price }
}

/** Figures of a run only grow; where one was mended downwards, nothing is paid back. */
const minus = (a: Usage, b: Usage): Usage => ({
  input: Math.max(0, a.input - b.input),
  output: Math.max(0, a.output - b.output),
  cacheRead: Math.max(0, a.cacheRead - b.cacheRead),
  cacheWrite: Math.max(0, a.cacheWrite - b.cacheWrite),
  reasoning: 0,
})

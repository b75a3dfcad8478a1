const FACTORS = { '': 1, k: 1_000, m: 1_000_000 } as const

/** Tokens as a person writes them: `50000`, `200k`, `1.5m`. Undefined for anything else, and above a billion. */
export function parseTokenCount(text: string): number | undefined {
  const match = /^(\d{1,10}(?:\.\d{1,3})?)([km]?)$/.exec(text.trim().toLowerCase())
  if (!match) return undefined
  const count = Math.round(Number(match[1]) * FACTORS[match[2] as keyof typeof FACTORS])
  return count <= 1_000_000_000 ? count : undefined
}

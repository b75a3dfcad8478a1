const FACTORS = { '': 1, k: 1_000, m: 1_000_000 } as const
/** No part of a token is one: 0.4 rounded would be 0, which is unlimited. */
const FORM = /^(\d{1,12}|\d{1,3}(?:_\d{3})+)(?:(\.\d{1,3})?([km]))?$/

/** Tokens as a person writes them: `50000`, `2_000_000`, `200k`, `1.5M`. Undefined for anything else. How many may be is the server's to say. */
export function parseTokenCount(text: string): number | undefined {
  const match = FORM.exec(text.trim().toLowerCase())
  if (!match) return undefined
  const [, whole = '', part = '', unit = ''] = match
  const number = Number(whole.replaceAll('_', '') + part)
  return Math.round(number * FACTORS[unit as keyof typeof FACTORS])
}
